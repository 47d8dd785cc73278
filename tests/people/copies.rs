//! Copies to another storage.
