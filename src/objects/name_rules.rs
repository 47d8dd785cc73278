//! Which names of a storage may trigger: what its configuration takes and leaves, and what only speaks of others.
//!
//! Guarantees: pure, and one answer for scans, inotify, listings of buckets and the question "why was this not
//! triggered"; patterns compare without regard to capital letters and to how accents are composed. Deliberately absent:
//! names that no storage takes (`ignored`), which [`NameRules::why_not`] asks too, and extensions, which each workflow
//! chooses for itself.

use crate::objects::companions;
use crate::objects::companions::Marker;
use crate::objects::companions::SpokenOf;
use crate::objects::ignored;
use crate::objects::likeness::nfc;
use globset::GlobBuilder;
use globset::GlobMatcher;

/// Patterns of one storage, at most.
const MOST: usize = 200;

/// As configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameOptions {
    /// Patterns of what is taken; empty: everything.
    pub include: Vec<String>,
    /// Patterns of what is left.
    pub exclude: Vec<String>,
    /// Files wait for markers like this.
    pub marker: Option<Marker>,
    /// Files wait for checksums.
    pub checksums: bool,
    /// `NAME.reelmill.json` speaks of `NAME`.
    pub orders: bool,
    /// `NAME.en.srt` belongs to `NAME.mp4`.
    pub subtitles: bool,
}

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// It may trigger.
    Object,
    /// It releases other objects.
    Marker,
    /// It is the checksum of other objects.
    Checksum,
    /// It says how another object is to be run.
    Order,
    /// It belongs to a film.
    Subtitle,
    /// This pattern of `exclude` leaves it.
    Excluded(&'a str),
    /// No pattern of `include` takes it.
    NotIncluded,
}

/// The rules of one storage.
#[derive(Debug, Clone, Default)]
pub struct NameRules {
    options: NameOptions,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    plain: bool,
}

impl NameRules {
    /// Those of the configuration.
    ///
    /// # Errors
    /// A clause about the first pattern that is none.
    pub fn new(options: NameOptions) -> Result<Self, String> {
        let read = |patterns: &[String]| -> Result<Vec<Pattern>, String> {
            if patterns.len() > MOST {
                return Err(format!("{} patterns are more than {MOST}", patterns.len()));
            }
            patterns.iter().map(|text| Pattern::read(text)).collect()
        };
        let (include, exclude) = (read(&options.include)?, read(&options.exclude)?);
        let speaks = options.marker.is_some() || options.checksums || options.orders || options.subtitles;
        Ok(NameRules {
            plain: include.is_empty() && exclude.is_empty() && !speaks,
            include,
            exclude,
            options,
        })
    }

    /// What it was made from.
    pub fn options(&self) -> &NameOptions {
        &self.options
    }

    /// What a key (in text form) is; names that no storage takes are not asked for here.
    pub fn role(&self, key: &str) -> Role<'_> {
        if self.plain {
            return Role::Object;
        }
        let options = &self.options;
        if options.marker.as_ref().is_some_and(|marker| marker.is_marker(key)) {
            return Role::Marker;
        }
        if options.orders && companions::is_order(key) {
            return Role::Order;
        }
        if options.checksums && companions::is_checksum(key) {
            return Role::Checksum;
        }
        if options.subtitles && companions::is_subtitle(key) {
            return Role::Subtitle;
        }
        let key = as_compared(key);
        if let Some(pattern) = self.exclude.iter().find(|pattern| pattern.takes(&key, true)) {
            return Role::Excluded(&pattern.text);
        }
        match self.include.is_empty() || self.include.iter().any(|pattern| pattern.takes(&key, false)) {
            true => Role::Object,
            false => Role::NotIncluded,
        }
    }

    /// Notes whom the file `key` speaks of; answers whether it speaks of others at all.
    pub fn note_spoken_of(&self, key: &str, all: &mut SpokenOf) -> bool {
        match self.role(key) {
            Role::Object | Role::Excluded(_) | Role::NotIncluded => return false,
            Role::Marker => {
                if let Some(marker) = &self.options.marker {
                    marker.released_by(key, all);
                }
            }
            Role::Order => all.add_base(key.strip_suffix(companions::ORDER_ENDING).unwrap_or(key)),
            Role::Checksum => {
                let (base, name) = (companions::stem(key), companions::name_of(key));
                all.add_base(base);
                // Its own stem has an extension: it is about that file. Else it may be a list.
                if !companions::name_of(base).contains('.') || companions::is_media_hash_list(name) {
                    all.add_folder(companions::listed_from(key));
                }
            }
            Role::Subtitle => {}
        }
        true
    }

    /// Whether a pattern of `exclude` leaves the folder `key` with everything in it.
    pub fn leaves_folder(&self, key: &str) -> bool {
        !self.exclude.is_empty() && {
            let key = as_compared(key);
            self.exclude.iter().any(|pattern| pattern.takes(&key, true))
        }
    }

    /// Why a key (in text form) never triggers, in a sentence; none: it may.
    pub fn why_not(&self, key: &str) -> Option<String> {
        if let Some(why) = ignored::why(key) {
            return Some(format!("It is passed over because {why}."));
        }
        let name = companions::name_of(key);
        match self.role(key) {
            Role::Object => None,
            Role::Marker => Some(format!(
                "{name} is a marker: it releases other files and never runs itself. It is left where it is."
            )),
            Role::Checksum => Some(format!(
                "{name} holds checksums of other files, which wait for it; it never runs itself."
            )),
            Role::Order => Some(format!(
                "{name} says how the file beside it is to be run (clip, user data, priority) and never runs itself. It is \
                 read when that file arrives; one that comes later changes nothing."
            )),
            Role::Subtitle => Some(format!(
                "{name} is taken as subtitles of the film of the same name (subtitles = true) and never runs itself. They \
                 are looked for when the film arrives; ones that come later change nothing."
            )),
            Role::Excluded(pattern) => Some(format!("The storage leaves it: exclude has {pattern:?}.")),
            Role::NotIncluded => Some("The storage leaves it: no pattern of include takes it.".to_owned()),
        }
    }
}

/// A name as patterns are compared with it.
fn as_compared(name: &str) -> String {
    nfc(name).to_lowercase()
}

/// One pattern.
#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    glob: GlobMatcher,
    /// Without a slash it is about names, else about whole keys.
    of_names: bool,
}

impl Pattern {
    fn read(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('/').trim_end_matches('/');
        if bare.is_empty() {
            return Err(format!("{text:?} is no pattern"));
        }
        // The glob itself knows the capital letters of ASCII alone.
        let glob = GlobBuilder::new(&as_compared(bare))
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| format!("{text:?} is no pattern: {}", error.kind()))?;
        Ok(Pattern {
            text: text.to_owned(),
            glob: glob.compile_matcher(),
            of_names: !text.contains('/'),
        })
    }

    /// Whether it is about this key. A pattern with a slash takes a key, or a folder above it; one without takes a
    /// name, and with `folders` that of a folder above it.
    fn takes(&self, key: &str, folders: bool) -> bool {
        if self.of_names {
            let mut names = key.rsplit('/');
            let own = names.next().is_some_and(|name| self.glob.is_match(name));
            return own || (folders && names.any(|name| self.glob.is_match(name)));
        }
        let above = key.match_indices('/').map(|(at, _)| &key[..at]);
        self.glob.is_match(key) || above.into_iter().any(|folder| self.glob.is_match(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::Marker;
    use super::NameOptions;
    use super::NameRules;
    use super::Role;

    fn rules(include: &[&str], exclude: &[&str]) -> NameRules {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        NameRules::new(NameOptions {
            include: words(include),
            exclude: words(exclude),
            ..NameOptions::default()
        })
        .expect("good patterns")
    }

    #[test]
    fn patterns_without_a_slash_are_about_names_and_others_about_keys() {
        let rules = rules(
            &["*.mxf", "incoming/**/*.mov", "cards/"],
            &["proxy", "**/trash/**", "*_tmp.*"],
        );
        for taken in [
            "a.mxf",
            "deep/er/A.MXF",
            "incoming/a.mov",
            "incoming/b/c.mov",
            "cards/1/x.bin",
            "Cards/2/y",
        ] {
            assert_eq!(rules.role(taken), Role::Object, "{taken}");
        }
        for left in ["a.mov", "other/incoming/a.mov", "mycards/x.bin"] {
            assert_eq!(rules.role(left), Role::NotIncluded, "{left}");
        }
        for (left, pattern) in [
            ("proxy/a.mxf", "proxy"),
            ("x/Proxy/b/a.mxf", "proxy"),
            ("x/trash/a.mxf", "**/trash/**"),
            ("x_TMP.mxf", "*_tmp.*"),
        ] {
            assert_eq!(rules.role(left), Role::Excluded(pattern), "{left}");
        }
        assert!(rules.leaves_folder("x/proxy") && !rules.leaves_folder("x/proxies"));
        assert!(
            rules
                .why_not("proxy/a.mxf")
                .is_some_and(|why| why.contains("\"proxy\""))
        );
        assert!(
            rules
                .why_not("a.mxf.part")
                .is_some_and(|why| why.contains("being written"))
        );
        assert_eq!(rules.why_not("a.mxf"), None);
    }

    #[test]
    fn accents_count_however_they_are_composed() {
        let rules = rules(&["caf\u{e9}/**"], &[]);
        assert_eq!(rules.role("cafe\u{301}/a.mov"), Role::Object);
        assert_eq!(rules.role("CAF\u{c9}/a.mov"), Role::Object);
        assert_eq!(rules.role("cafe/a.mov"), Role::NotIncluded);
    }

    #[test]
    fn what_speaks_of_others_is_no_object_whatever_is_included() {
        let rules = NameRules::new(NameOptions {
            include: vec!["*.mp4".to_owned()],
            marker: Some(Marker::Ending(".done".to_owned())),
            checksums: true,
            orders: true,
            subtitles: true,
            ..NameOptions::default()
        })
        .expect("good");
        for (key, role) in [
            ("a.mp4", Role::Object),
            ("a.mp4.done", Role::Marker),
            ("a.mp4.md5", Role::Checksum),
            ("a.mp4.reelmill.json", Role::Order),
            ("a.en.srt", Role::Subtitle),
            ("a.mov", Role::NotIncluded),
        ] {
            assert_eq!(rules.role(key), role, "{key}");
            assert_eq!(rules.why_not(key).is_none(), role == Role::Object, "{key}");
        }
        let plain = NameRules::default();
        assert_eq!(plain.role("a.en.srt"), Role::Object);
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for wrong in ["", "/", "a[", "{a"] {
            let options = NameOptions {
                exclude: vec![wrong.to_owned()],
                ..NameOptions::default()
            };
            assert!(
                NameRules::new(options).expect_err(wrong).contains("no pattern"),
                "{wrong}"
            );
        }
    }
}
