//! Do outputs come into buckets whole or not at all, in an order in which nothing names what is not there, through faults
//! and deaths, and do copies and `after` rules? The executor and the real daemon against s3s-fs, behind a proxy that
//! writes down what is asked and makes the service ill.

#[path = "../appliance/mod.rs"]
mod appliance;

mod bench;
mod copies;
mod daemon;
mod faults;
mod files;
