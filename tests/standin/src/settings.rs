//! What the environment says of the devices to be stood in for, and of what is to go wrong.
//!
//! Guarantees: read once a process; a name or value that is not understood is a violation, so that a test cannot pass
//! because its fault was misspelt.

use crate::contract;
use std::path::PathBuf;
use std::sync::OnceLock;

/// All of them. Each is the variable of its name in capitals behind `STANDIN_`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Devices; 1.
    pub devices: usize,
    /// Memory of each; 8192.
    pub memory_mb: u64,
    /// Page-locked memory of the host that can be had at once; none: as much as there is.
    pub page_locked_mb: Option<u64>,
    /// What `cuInit` answers; 0.
    pub init_error: i32,
    /// Newest version of CUDA that the driver speaks, `12.4`.
    pub cuda_version: (i32, i32),
    /// Encoder sessions at once over all devices; 8.
    pub sessions: usize,
    /// No device has an encoder.
    pub no_nvenc: bool,
    /// No device has a decoder.
    pub no_nvdec: bool,
    /// What the decoders take, `h264,hevc10`; none: all they know.
    pub codecs: Option<Vec<String>>,
    /// What the encoders make, `h264,hevc`; none: all they know.
    pub encoders: Option<Vec<String>>,
    /// Most B-frames in a row of the encoders; 4.
    pub max_bframes: u32,
    /// The encoders take no 10 bits.
    pub no_10bit: bool,
    /// The encoders do not look ahead.
    pub no_lookahead: bool,
    /// Newest version of the encoder's API, `12.1`; older ones leave nothing that the product can use.
    pub nvenc_version: (u32, u32),
    /// What a session more than there are answers: 10 (of older drivers) or 21.
    pub session_error: u32,
    /// Picture given to encoders, from 1 over the process, whose call fails with 20.
    pub encode_error_at: Option<u64>,
    /// Pictures given to decoders, from 1, whose decoding ends in an error: `7` or `7,8,9`.
    pub decode_error_at: Vec<u64>,
    /// Pictures found by parsers, from 1, at which the parser's call fails with 999.
    pub parse_error_at: Vec<u64>,
    /// Kernel launch or mapped frame, counted together from 1, from which on the device is lost (700).
    pub lost_at: Option<u64>,
    /// The one that never ends.
    pub hang_at: Option<u64>,
    /// The one that ends the process.
    pub crash_at: Option<u64>,
    /// The kernel of which every launch is refused (1).
    pub refused_kernel: Option<String>,
    /// The device to which the three faults of a launch or frame happen; none: to any.
    pub fault_device: Option<usize>,
    /// While that file exists no context can be had of the devices whose numbers it holds (`0 2`; empty: of none at all).
    pub broken_while: Option<PathBuf>,
    /// What `nvmlInit` answers; 0.
    pub nvml_init_error: i32,
    /// NVML counts the devices from the other end.
    pub nvml_reversed: bool,
    /// How busy the devices are, per cent, by their number in CUDA: `37,-3`. Here and in the next four: 0 where nothing is
    /// said, and a number below nought is the status that is answered instead.
    pub nvml_busy: Vec<i32>,
    /// How busy their encoders are, per cent.
    pub nvml_encoder: Vec<i32>,
    /// How busy their decoders are, per cent.
    pub nvml_decoder: Vec<i32>,
    /// Memory in use.
    pub nvml_memory_used_mb: Vec<i32>,
    /// Degrees Celsius.
    pub nvml_temperature: Vec<i32>,
    /// While that file exists the devices whose numbers it holds are lost to NVML (15).
    pub nvml_lost_while: Option<PathBuf>,
}

/// What the environment of this process says.
pub fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        read(std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        }))
    })
}

fn read(variables: impl Iterator<Item = (String, String)>) -> Settings {
    let mut settings = Settings {
        devices: 1,
        memory_mb: 8192,
        page_locked_mb: None,
        init_error: 0,
        cuda_version: (12, 4),
        sessions: 8,
        no_nvenc: false,
        no_nvdec: false,
        codecs: None,
        encoders: None,
        max_bframes: 4,
        no_10bit: false,
        no_lookahead: false,
        nvenc_version: (12, 1),
        session_error: 10,
        encode_error_at: None,
        decode_error_at: Vec::new(),
        parse_error_at: Vec::new(),
        lost_at: None,
        hang_at: None,
        crash_at: None,
        refused_kernel: None,
        fault_device: None,
        broken_while: None,
        nvml_init_error: 0,
        nvml_reversed: false,
        nvml_busy: Vec::new(),
        nvml_encoder: Vec::new(),
        nvml_decoder: Vec::new(),
        nvml_memory_used_mb: Vec::new(),
        nvml_temperature: Vec::new(),
        nvml_lost_while: None,
    };
    for (name, value) in variables {
        let Some(name) = name.strip_prefix("STANDIN_") else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        if set(&mut settings, name, &value).is_none() {
            contract::violated(&format!("STANDIN_{name}"), format!("{value:?} is not understood"));
        }
    }
    settings
}

fn set(settings: &mut Settings, name: &str, value: &str) -> Option<()> {
    let number = || value.trim().parse::<u64>().ok();
    let size = || value.trim().parse::<usize>().ok();
    let flag = || match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let readings = || {
        let parse = |one: &str| one.trim().parse::<i32>().ok();
        value.split(',').map(parse).collect::<Option<Vec<_>>>()
    };
    let version = || {
        let (major, minor) = value.trim().split_once('.')?;
        Some((major.parse::<i32>().ok()?, minor.parse::<i32>().ok()?))
    };
    let names = || {
        Some(
            value
                .split(',')
                .map(|name| name.trim().to_ascii_lowercase())
                .collect::<Vec<_>>(),
        )
    };
    let numbers = || {
        value
            .split(',')
            .map(|one| one.trim().parse::<u64>().ok())
            .collect::<Option<Vec<_>>>()
    };
    match name {
        // Read where violations are written, and by the build.
        "VIOLATIONS" | "DIR" => {}
        "DEVICES" => settings.devices = size()?,
        "MEMORY_MB" => settings.memory_mb = number()?,
        "PAGE_LOCKED_MB" => settings.page_locked_mb = Some(number()?),
        "INIT_ERROR" => settings.init_error = value.trim().parse().ok()?,
        "CUDA_VERSION" => settings.cuda_version = version()?,
        "SESSIONS" => settings.sessions = size()?,
        "NO_NVENC" => settings.no_nvenc = flag()?,
        "NO_NVDEC" => settings.no_nvdec = flag()?,
        "CODECS" => settings.codecs = Some(names()?),
        "ENCODERS" | "NVENC_CODECS" => settings.encoders = Some(names()?),
        "MAX_BFRAMES" => settings.max_bframes = value.trim().parse().ok()?,
        "NO_10BIT" => settings.no_10bit = flag()?,
        "NO_LOOKAHEAD" => settings.no_lookahead = flag()?,
        "NVENC_VERSION" => {
            let (major, minor) = version()?;
            settings.nvenc_version = (
                major.try_into().ok()?,
                minor.try_into().ok().filter(|minor| *minor < 16)?,
            );
        }
        "SESSION_ERROR" => settings.session_error = number().filter(|code| [10, 21].contains(code))? as u32,
        "ENCODE_ERROR_AT" => settings.encode_error_at = Some(number()?),
        "DECODE_ERROR_AT" => settings.decode_error_at = numbers()?,
        "PARSE_ERROR_AT" => settings.parse_error_at = numbers()?,
        "LOST_AT" => settings.lost_at = Some(number()?),
        "HANG_AT" => settings.hang_at = Some(number()?),
        "CRASH_AT" => settings.crash_at = Some(number()?),
        "REFUSED_KERNEL" => settings.refused_kernel = Some(value.trim().to_owned()),
        "FAULT_DEVICE" => settings.fault_device = Some(size()?),
        "NVML_INIT_ERROR" => settings.nvml_init_error = value.trim().parse().ok()?,
        "NVML_REVERSED" => settings.nvml_reversed = flag()?,
        "NVML_BUSY" => settings.nvml_busy = readings()?,
        "NVML_ENCODER" => settings.nvml_encoder = readings()?,
        "NVML_DECODER" => settings.nvml_decoder = readings()?,
        "NVML_MEMORY_USED_MB" => settings.nvml_memory_used_mb = readings()?,
        "NVML_TEMPERATURE" => settings.nvml_temperature = readings()?,
        "NVML_LOST_WHILE" => settings.nvml_lost_while = Some(PathBuf::from(value)),
        "BROKEN_WHILE" => settings.broken_while = Some(PathBuf::from(value)),
        _ => return None,
    }
    Some(())
}
