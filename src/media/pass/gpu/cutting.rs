//! Who takes what of a pass on a device: gathered while its threads are set up, then made into the stages that cut.
//!
//! Guarantees: pictures of one grade are made by one stage, each size once. Deliberately absent: launches.

use crate::media::facts::Ratio;
use crate::media::pass::gpu::cuts::Cut;
use crate::media::pass::gpu::cuts::Cuts;
use crate::media::pass::gpu::hardware::Device;
use crate::media::pass::gpu::stage::Stage;
use crate::media::pass::grade::Grade;
use crate::media::pass::lane::Aim;
use crate::media::pass::rung::Picture;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

/// Pictures of the source that wait for their launch: each is as large as the source.
const QUEUE: usize = 2;

type Takers = Cuts<SyncSender<Picture>>;

/// Where the pictures of a source go, in SDR and in HDR.
pub type Ways = (Vec<SyncSender<Picture>>, Vec<SyncSender<Picture>>);

/// What is wanted of each picture of a pass.
#[derive(Debug)]
pub struct Cutting {
    device: Arc<Device>,
    display: (u32, u32),
    sdr: Takers,
    hdr: Takers,
    taps: Vec<SyncSender<Picture>>,
}

impl Cutting {
    /// Of a source that is displayed in this size.
    pub fn new(device: &Arc<Device>, display: (u32, u32)) -> Self {
        Cutting {
            device: Arc::clone(device),
            display,
            sdr: Cuts::default(),
            hdr: Cuts::default(),
            taps: Vec::new(),
        }
    }

    /// A picture job sees every picture, of which nothing is made before it wants one.
    pub fn tap(&mut self, sender: SyncSender<Picture>) {
        self.taps.push(sender);
    }

    /// A rendition takes every picture. `takes_surfaces`: as the device's encoder wants them.
    pub fn rendition(&mut self, grade: &Grade, size: (u32, u32), takes_surfaces: bool, sender: SyncSender<Picture>) {
        let cut = Cut::of_rendition(grade, size, self.display, takes_surfaces);
        let takers = if grade.is_hdr { &mut self.hdr } else { &mut self.sdr };
        takers.add(cut, sender);
    }

    /// SDR pictures are wanted.
    pub fn has_sdr(&self) -> bool {
        !self.sdr.is_empty() || !self.taps.is_empty()
    }

    /// HDR pictures are wanted.
    pub fn has_hdr(&self) -> bool {
        !self.hdr.is_empty()
    }

    /// The stages that make them, and where the pictures of the source go, in SDR and in HDR.
    pub fn stages(self, (sdr, hdr): (Option<Aim>, Option<Aim>), unit: Ratio, threads: u32) -> (Vec<Stage>, Ways) {
        let mut stages = Vec::new();
        let mut stage =
            |aim: Option<Aim>, takers: Takers, taps: Vec<SyncSender<Picture>>| -> Vec<SyncSender<Picture>> {
                let Some(aim) = aim.filter(|_| !takers.is_empty() || !taps.is_empty()) else {
                    return Vec::new();
                };
                let (sender, receiver) = sync_channel(QUEUE);
                let takers = (takers.into_all(), taps);
                stages.push(Stage::new(&self.device, aim, (unit, threads), takers, receiver));
                vec![sender]
            };
        let ways = (stage(sdr, self.sdr, self.taps), stage(hdr, self.hdr, Vec::new()));
        (stages, ways)
    }
}
