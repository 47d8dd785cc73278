//! wip
pub mod error;
pub mod extract;
pub mod links;
pub mod paging;
pub mod ports;
pub mod receiver;
