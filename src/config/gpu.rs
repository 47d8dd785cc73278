//! `[capacity.gpu]`: which NVIDIA devices may be used, and how much of each.
//!
//! Deliberately absent: whether there are any; the daemon looks.

use crate::config::file::Auto;
use crate::config::resolved::Findings;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;

/// `"auto"`, `"none"`, or a list of UUIDs and ordinals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceList {
    /// All there are.
    #[default]
    Auto,
    /// None.
    Nothing,
    /// These.
    Only(Vec<String>),
}

impl Serialize for DeviceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            DeviceList::Auto => serializer.serialize_str("auto"),
            DeviceList::Nothing => serializer.serialize_str("none"),
            DeviceList::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for DeviceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> serde::de::Visitor<'de> for Reads {
            type Value = DeviceList;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"auto\", \"none\" or a list of UUIDs and ordinals, as in [\"GPU-5a3b...\", 0]")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<DeviceList, E> {
                match word {
                    "auto" => Ok(DeviceList::Auto),
                    "none" => Ok(DeviceList::Nothing),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<DeviceList, A::Error> {
                #[derive(Deserialize)]
                #[serde(untagged)]
                enum One {
                    Ordinal(u32),
                    Uuid(String),
                }
                let mut names = Vec::new();
                while let Some(one) = list.next_element::<One>()? {
                    names.push(match one {
                        One::Ordinal(ordinal) => ordinal.to_string(),
                        One::Uuid(uuid) => uuid,
                    });
                }
                Ok(DeviceList::Only(names))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// What `auto` work does while every device is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Busy {
    /// What is quicker.
    #[default]
    Auto,
    /// It runs in software.
    Software,
    /// It waits.
    Wait,
}

/// `[capacity.gpu]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "every key is described in config/reelmill.toml")]
pub struct GpuSection {
    pub devices: DeviceList,
    pub attempts: Auto,
    pub sessions: Auto,
    pub memory_reserve_bytes: u64,
    pub when_busy: Busy,
}

impl Default for GpuSection {
    fn default() -> Self {
        GpuSection {
            devices: DeviceList::Auto,
            attempts: Auto::Auto,
            sessions: Auto::Auto,
            memory_reserve_bytes: 512 << 20,
            when_busy: Busy::Auto,
        }
    }
}

/// How devices are used; none: found by the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Which.
    pub devices: DeviceList,
    /// Attempts at once on each.
    pub attempts: Option<u32>,
    /// Encoder sessions at once of each.
    pub sessions: Option<u32>,
    /// Memory of each that is left to others, bytes.
    pub memory_reserve_bytes: u64,
    /// What `auto` work does while all are busy.
    pub when_busy: Busy,
}

/// Gives the section its meaning.
pub(super) fn resolve(findings: &mut Findings, section: &GpuSection) -> Gpu {
    let mut small = |key: &str, number: Auto| match number.number() {
        None => None,
        Some(number @ 1..=1_024) => u32::try_from(number).ok(),
        Some(number) => {
            findings.error(
                format!("capacity.gpu.{key}"),
                format!("{number} is out of range, \"auto\" or 1 to 1024"),
            );
            None
        }
    };
    let (attempts, sessions) = (small("attempts", section.attempts), small("sessions", section.sessions));
    if let DeviceList::Only(names) = &section.devices {
        if names.is_empty() {
            findings.error(
                "capacity.gpu.devices",
                "is an empty list; write \"none\" to use no device",
            );
        }
        for (at, name) in names.iter().enumerate() {
            let is_ordinal = name.parse::<u32>().is_ok();
            if !is_ordinal && !name.starts_with("GPU-") && !name.starts_with("MIG-") {
                findings.error(
                    format!("capacity.gpu.devices[{at}]"),
                    format!("{name:?} is neither a number nor a UUID as `reelmill check` and `nvidia-smi -L` show it"),
                );
            }
        }
    }
    Gpu {
        devices: section.devices.clone(),
        attempts,
        sessions,
        memory_reserve_bytes: section.memory_reserve_bytes,
        when_busy: section.when_busy,
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceList;
    use super::GpuSection;
    use super::resolve;
    use crate::base::reader;
    use crate::config::resolved::Findings;

    fn errors(text: &str) -> Vec<String> {
        let section: GpuSection = match reader::from_toml(text) {
            Ok(section) => section,
            Err(wrong) => return vec![format!("{wrong:?}")],
        };
        let mut findings = Findings::default();
        resolve(&mut findings, &section);
        findings.errors.iter().map(|wrong| format!("{wrong:?}")).collect()
    }

    #[test]
    fn devices_are_named_by_word_uuid_or_number() {
        let devices = |text: &str| reader::from_toml::<GpuSection>(text).expect("it reads").devices;
        assert_eq!(devices("devices = \"none\""), DeviceList::Nothing);
        let only = DeviceList::Only(vec!["GPU-5a".to_owned(), "1".to_owned()]);
        assert_eq!(devices("devices = [\"GPU-5a\", 1]"), only);
        assert_eq!(errors("devices = [\"GPU-5a\", 1]\nsessions = 3"), Vec::<String>::new());
    }

    #[test]
    fn slips_are_refused() {
        for text in [
            "devices = \"all\"",
            "devices = []",
            "devices = [\"GeForce\"]",
            "sessions = 0",
            "attempts = 5000",
            "when_busy = \"panic\"",
            "session = 3",
        ] {
            assert_eq!(errors(text).len(), 1, "{text}: {:?}", errors(text));
        }
    }
}
