use bytes::Bytes;

use super::{Outgoing, XdmError};

pub(super) fn write(_outgoing: &Outgoing) -> Result<Bytes, XdmError> {
    Err(XdmError::Empty)
}
