//! Pro Santé Connect: relying party and twin provider.
