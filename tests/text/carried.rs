//! What is carried.
