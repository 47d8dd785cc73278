//! Do people and programs outside get asked, heard and believed once? The real daemon, with services and executables of
//! the test, killed where it hurts.

#[path = "../appliance/mod.rs"]
mod appliance;

mod copies;
mod hooks;
mod reviews;
mod scene;
mod service;
mod signed;
