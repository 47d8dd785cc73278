//! Does the product do what the documents it is made from say? The seeds, sentence by sentence and in their order, through
//! REST and the command line against the real daemon. Each block quotes the sentence it shows; `000` is the IMS page on
//! workflow templates, `001`/`003` the MPS page on workflows, `002` the IMS page of events, `004` the VOD page of the
//! event that ends a workflow task.

#[path = "../appliance/mod.rs"]
mod appliance;
mod house;
mod ims_events;
mod ims_templates;
mod mps_workflows;
mod vod_task;
