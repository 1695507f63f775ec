//! HTTP: the front door, the console, metrics.
