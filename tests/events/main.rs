//! Every event of the seeds that has a meaning here, against its own sample: same keys, same types, same nesting, same
//! values, inside stringified JSON too.
//!
//! `samples/` holds the samples as the seeds print them, with masked digits made whole (a mask is any one character; the
//! test compares them with the seeds where these are there). Each event is made of facts that give the sample's values,
//! rendered by the product, and compared. What differs is decided, and stands in the table of [`seed`]: nothing else may.

mod compare;
mod facts;
mod mps;
mod seed;
mod vod;
