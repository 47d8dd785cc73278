//! What goes in beside one whole file: joined clips, parts by timecode, files that a definition names, numbered
//! pictures, truncated and hostile sources. Through `reelmill run`; clips and the other reader are the system's ffmpeg.

#[path = "../backend/mod.rs"]
mod backend;
mod bare;
mod clipped;
mod held;
mod holes;
mod hostile;
mod joined;
mod jumps;
mod numbered;
mod partial;
mod room;
mod stills;
mod unusual;
