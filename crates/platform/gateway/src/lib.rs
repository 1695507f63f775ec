//! The flows: identify, validate, decide, store, dispatch, trace.
