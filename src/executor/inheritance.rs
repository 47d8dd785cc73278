//! What a worker inherits: open files as descriptors, and one relay for all that lies in buckets.
//!
//! Guarantees: what the worker is told of a file and what stands at its descriptor or number belong together; there is a
//! relay only where something is relayed. Deliberately absent: opening.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::executor::bucket_source::BucketSource;
use crate::executor::bucket_source::BucketSources;
use crate::executor::grouped::Group;
use crate::executor::relay::Relay;
use crate::executor::side::SideFile;
use crate::media::assembly::Assembly;
use crate::media::family::Family;
use crate::objects::local::Stat;
use crate::worker::protocol::RelayedPicture;
use crate::worker::protocol::SourceOrder;
use crate::worker::supervisor;
use crate::worker::supervisor::Inherited;
use crate::worker::supervisor::RelayEnd;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

/// Something to read, open.
#[derive(Debug)]
pub enum Opened {
    /// A file, or the folder of a family, with what it was when it was opened.
    File(File, Stat),
    /// An object of a bucket.
    Object(BucketSource),
    /// The pictures of a family that lie in a bucket, by file name.
    Pictures(Vec<(String, BucketSource)>),
}

/// What one worker inherits.
pub struct Inheritance {
    /// What the worker is told of its source.
    pub source: SourceOrder,
    /// And of the files beside it.
    pub side: Vec<SourceOrder>,
    /// And of the other files of the source.
    pub members: Vec<SourceOrder>,
    /// How these go together.
    pub assembly: Option<Assembly>,
    /// At which descriptor the relay stands.
    pub descriptor: Option<i32>,
    /// What it is given.
    pub files: Inherited,
    /// To be served while the worker runs.
    pub relay: Option<Relay>,
}

impl Inheritance {
    /// Of a source called `name`, open, and the files beside it. Relayed bytes that do not come for `patience` are a fault.
    ///
    /// # Errors
    /// No relay can be had.
    pub fn new(name: &str, group: Group, side: Vec<SideFile>, patience: Duration) -> Result<Self, Fault> {
        let mut relayed = Vec::new();
        let (mut source, source_file) = take(
            group.source,
            supervisor::SOURCE_DESCRIPTOR,
            name,
            group.family,
            &mut relayed,
        );
        source.pictures = group.pictures;
        let mut files = Inherited {
            source: source_file,
            ..Inherited::default()
        };
        let beside = side.len();
        let mut orders = Vec::with_capacity(beside + group.members.len());
        for (number, one) in side.into_iter().chain(group.members).enumerate() {
            let descriptor = supervisor::side_descriptor(number);
            let (order, file) = take(one.opened, descriptor, &one.name, None, &mut relayed);
            orders.push(order);
            files.side.push(file);
        }
        let mut relay = None;
        if !relayed.is_empty() {
            let (ours, socket) = Relay::new(Arc::new(BucketSources(relayed)), patience).map_err(|error| {
                Fault::new(
                    "RelayBroken",
                    Blame::Host,
                    "open",
                    name,
                    format!("no sockets can be had to read it through: {error}"),
                    "Raise the limit of open files (LimitNOFILE of the service).",
                )
            })?;
            files.relay = Some(RelayEnd {
                socket,
                pulse: ours.pulse(),
            });
            relay = Some(ours);
        }
        Ok(Inheritance {
            source,
            descriptor: relay.as_ref().map(|_| supervisor::relay_descriptor(orders.len())),
            members: orders.split_off(beside),
            side: orders,
            assembly: group.assembly,
            files,
            relay,
        })
    }
}

/// What the worker is told of one file, and the file where it is one.
fn take(
    opened: Opened,
    descriptor: i32,
    name: &str,
    family: Option<Family>,
    relayed: &mut Vec<BucketSource>,
) -> (SourceOrder, Option<File>) {
    let number = u32::try_from(relayed.len()).expect("a family has no four thousand million pictures");
    let mut order = SourceOrder {
        descriptor,
        name: name.to_owned(),
        size_bytes: 0,
        mtime_ns: 0,
        family,
        pictures: Vec::new(),
        relay: Some(number),
        relayed: Vec::new(),
    };
    match opened {
        Opened::File(file, stat) => {
            (order.size_bytes, order.mtime_ns, order.relay) = (stat.size_bytes, stat.mtime_ns, None);
            return (order, Some(file));
        }
        Opened::Object(object) => {
            (order.size_bytes, order.mtime_ns) = (object.size_bytes, object.mtime_ns);
            relayed.push(object);
        }
        Opened::Pictures(pictures) => {
            for (name, object) in pictures {
                let size_bytes = object.size_bytes;
                order.relayed.push(RelayedPicture { name, size_bytes });
                relayed.push(object);
            }
        }
    }
    (order, None)
}
