//! Commands, read with their literals under limits.

use bytes::BytesMut;
use imap_codec::CommandCodec;
use imap_codec::decode::{CommandDecodeError, Decoder as _};
use imap_codec::imap_types::command::Command;
use imap_codec::imap_types::core::LiteralMode;

use crate::net::{Lines, NetError, Stream};
use crate::twin::smtp::SIZE_MAX;

/// A command without its literals; search and fetch lists of clients are a few KB.
const LINE_MAX: usize = 64 * 1024;
/// All literals of one command, before authentication.
const LITERAL_MAX_STRANGER: usize = 4096;
/// After it: a message for `APPEND`.
const LITERAL_MAX: usize = SIZE_MAX as usize;

/// What came.
pub(super) enum Read {
    Command(Command<'static>),
    /// The end of the stream.
    End,
    /// Not a command; with the tag, when there was one.
    Wrong {
        tag: Option<String>,
        why: &'static str,
    },
    /// What would follow cannot be read: the session ends.
    TooLong,
}

/// Reads one command.
pub(super) async fn read<S: Stream>(lines: &mut Lines<S>, is_authenticated: bool) -> Result<Read, NetError> {
    let literal_max = if is_authenticated { LITERAL_MAX } else { LITERAL_MAX_STRANGER };
    let mut input = BytesMut::new();
    let mut literals = 0;
    loop {
        match next_line(lines).await? {
            Some(line) => input.extend_from_slice(&line),
            None => return Ok(Read::End),
        }
        if input.len() - literals > LINE_MAX {
            return Ok(Read::TooLong);
        }
        match CommandCodec::new().decode_static(&input) {
            Ok((_, command)) => return Ok(Read::Command(command)),
            Err(CommandDecodeError::Incomplete) => {}
            Err(CommandDecodeError::Failed) => return Ok(wrong(&input, "this is no command of IMAP4rev1")),
            Err(CommandDecodeError::LiteralFound { tag, length, mode }) => {
                let length = length as usize;
                let is_sync = mode == LiteralMode::Sync;
                if literals + length > literal_max {
                    // A client that did not wait for the `+` is sending already: nothing can be read after it.
                    let tag = Some(tag.as_ref().to_owned());
                    return Ok(if is_sync {
                        Read::Wrong { tag, why: "the literal is too large" }
                    } else {
                        Read::TooLong
                    });
                }
                if is_sync {
                    lines.send(b"+ go on\r\n").await?;
                }
                lines.exactly(length, &mut input).await?;
                literals += length;
            }
        }
    }
}

async fn next_line<S: Stream>(lines: &mut Lines<S>) -> Result<Option<BytesMut>, NetError> {
    lines.raw_line(LINE_MAX).await
}

fn wrong(input: &[u8], why: &'static str) -> Read {
    let tag = input.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    let is_tag =
        (1..=64).contains(&tag.len()) && tag.iter().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\+".contains(b));
    let tag = std::str::from_utf8(tag).ok().filter(|_| is_tag);
    Read::Wrong { tag: tag.map(str::to_owned), why }
}
