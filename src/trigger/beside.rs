//! Looks at what lies beside objects and speaks of them: markers, checksums, orders, subtitles.
//!
//! Guarantees: a folder is listed once for all objects of one go; what is read is small and bounded; times of files are
//! compared with each other alone, by the one clock that stamped both. Deliberately absent: deciding (`settle`), and
//! waiting for a mount that hangs, which the lane does.

use crate::base::clock::UtcMs;
use crate::objects::companions;
use crate::objects::companions::CHECKSUM_ENDINGS;
use crate::objects::companions::MHL_FOLDER;
use crate::objects::companions::Marker;
use crate::objects::companions::ORDER_ENDING;
use crate::objects::companions::folder_of;
use crate::objects::companions::join;
use crate::objects::companions::name_of;
use crate::objects::local::Folder;
use crate::objects::name_rules::NameRules;
use crate::objects::scan;
use crate::objects::scan::Found;
use crate::objects::scan::Look;
use crate::trigger::checksum;
use crate::trigger::checksum::Claim;
use crate::trigger::checksum::Line;
use crate::trigger::explain::Word;
use crate::trigger::sight::Beside;
use crate::workflow::arrival::SideText;
use crate::workflow::arrival::SidecarOrder;
use crate::workflow::side_order;
use crate::workflow::waiting::Waits;
use std::collections::HashMap;
use std::hash::Hash;
use std::hash::Hasher;
use std::io;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

/// Files beside an object that are told to people.
const TOLD: usize = 8;
/// Subtitles of one film, at most.
const MOST_SUBTITLES: usize = 60;

/// What is said of a file beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// How it is to be run.
    pub order: Option<SidecarOrder>,
    /// Its subtitles.
    pub subtitles: Vec<SideText>,
}

/// A file beside an object, as it is now.
type Listed = Result<Rc<Vec<Line>>, String>;

/// One go over many objects of one storage.
pub struct Surroundings<'a> {
    folder: &'a Folder,
    rules: &'a NameRules,
    names: HashMap<String, Rc<Vec<String>>>,
    lists: HashMap<String, Listed>,
}

impl<'a> Surroundings<'a> {
    /// Nothing seen yet.
    pub fn new(folder: &'a Folder, rules: &'a NameRules) -> Self {
        Surroundings {
            folder,
            rules,
            names: HashMap::new(),
            lists: HashMap::new(),
        }
    }

    /// What lies beside `object`. `changed`: it ran before with other content, so an older marker does not count.
    ///
    /// # Errors
    /// Those of looking; "it is not there" is none.
    pub fn of(&mut self, object: &Found, changed: bool) -> io::Result<Beside> {
        let mut beside = Beside::default();
        let mut stamp = Stamp::default();
        let options = self.rules.options();
        if let Some(marker) = &options.marker {
            beside.obstacle = self.marker(marker, object, changed)?;
        }
        if options.checksums && beside.obstacle.is_none() {
            match self.claim(object, &mut stamp)? {
                Ok(claim) => beside.claim = Some(claim),
                Err(waits) => beside.obstacle = Some(waits),
            }
        }
        if options.orders && beside.obstacle.is_none() {
            match self.order(object, &mut stamp)? {
                Ok(order) => beside.order = order,
                Err(waits) => beside.obstacle = Some(waits),
            }
        }
        if options.subtitles && !companions::is_subtitle(&object.key) && beside.obstacle.is_none() {
            beside.subtitles = self.subtitles(object, &mut stamp)?;
        }
        beside.stamp = stamp.finish();
        Ok(beside)
    }

    /// How the file under `key` is to be run and its subtitles, as they lie beside it now; a wait where its order cannot
    /// be done.
    ///
    /// # Errors
    /// Those of looking; "it is not there" is none.
    pub fn said_of(&mut self, key: &str) -> io::Result<Result<Said, Waits>> {
        let mut said = Said::default();
        let Some(object) = self.look(key)? else {
            return Ok(Ok(said));
        };
        let mut stamp = Stamp::default();
        let options = self.rules.options();
        if options.orders {
            match self.order(&object, &mut stamp)? {
                Ok(order) => said.order = order,
                Err(waits) => return Ok(Err(waits)),
            }
        }
        if options.subtitles && !companions::is_subtitle(key) {
            said.subtitles = self.subtitles(&object, &mut stamp)?;
        }
        Ok(Ok(said))
    }

    fn look(&self, key: &str) -> io::Result<Option<Found>> {
        Ok(match scan::look(self.folder.root(), key)? {
            Look::Object(found) => Some(found),
            Look::Folder | Look::Nothing => None,
        })
    }

    fn marker(&self, marker: &Marker, object: &Found, changed: bool) -> io::Result<Option<Waits>> {
        let mut stale = None;
        for key in marker.keys_for(&object.key) {
            let Some(found) = self.look(&key)? else { continue };
            // The time of the last change of content may have been set by whoever copied both; of a file that ran
            // before, only the time that nobody can set says that somebody released it again.
            let vouches = found.ctime_ns >= object.ctime_ns || (!changed && found.mtime_ns >= object.mtime_ns);
            if vouches {
                return Ok(None);
            }
            stale.get_or_insert(key);
        }
        Ok(Some(match stale {
            Some(marker) => Waits::StaleMarker { marker },
            None => Waits::NoMarker {
                wanted: marker.words(&object.key),
            },
        }))
    }

    fn claim(&mut self, object: &Found, stamp: &mut Stamp) -> io::Result<Result<Claim, Waits>> {
        let mut bad = None;
        for ending in CHECKSUM_ENDINGS {
            let upper = ending.to_ascii_uppercase();
            let beside = companions::beside(&object.key, ending).into_iter();
            for list in beside.chain(companions::beside(&object.key, &upper)) {
                if let Some(found) = self.look(&list)? {
                    match self.claimed(&found, object, true, stamp)? {
                        Ok(Some(claim)) => return Ok(Ok(claim)),
                        Ok(None) => {}
                        Err(waits) => {
                            bad.get_or_insert(waits);
                        }
                    }
                }
            }
        }
        let mut folder = folder_of(&object.key);
        loop {
            let own = self.names_in(folder)?;
            let newer = match own.iter().any(|name| name == MHL_FOLDER) {
                true => self.names_in(&join(folder, MHL_FOLDER))?,
                false => Rc::default(),
            };
            let newer = newer.iter().map(|name| format!("{MHL_FOLDER}/{name}"));
            let lists = own
                .iter()
                .filter(|name| companions::is_checksum(name))
                .cloned()
                .chain(newer);
            let mut lists: Vec<String> = lists.map(|name| join(folder, &name)).collect();
            // Of several generations the last one counts.
            lists.sort_unstable_by(|one, other| other.cmp(one));
            for list in lists {
                let Some(found) = self.look(&list)? else { continue };
                match self.claimed(&found, object, false, stamp)? {
                    Ok(Some(claim)) => return Ok(Ok(claim)),
                    // A list that cannot be read may have been about others.
                    Err(waits) if companions::is_media_hash_list(name_of(&list)) => {
                        bad.get_or_insert(waits);
                    }
                    Ok(None) | Err(_) => {}
                }
            }
            if folder.is_empty() {
                break;
            }
            folder = folder_of(folder);
        }
        let name = name_of(&object.key);
        Ok(Err(bad.unwrap_or_else(|| Waits::NoChecksum {
            wanted: format!(
                "{name}.md5, {name}.sha1, {name}.sha256, or a list or .mhl in its folder or above that names it"
            ),
        })))
    }

    /// What one list says of an object.
    fn claimed(
        &mut self,
        list: &Found,
        object: &Found,
        is_beside: bool,
        stamp: &mut Stamp,
    ) -> io::Result<Result<Option<Claim>, Waits>> {
        let lines = match self.lines(list)? {
            Ok(lines) => lines,
            Err(why) => {
                stamp.add(list);
                return Ok(Err(Waits::BadChecksum {
                    list: list.key.clone(),
                    why,
                }));
            }
        };
        let base = companions::listed_from(&list.key);
        let path = match base.is_empty() {
            true => object.key.as_str(),
            false => object
                .key
                .strip_prefix(base)
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(&object.key),
        };
        let Some(line) = checksum::about(&lines, path, is_beside) else {
            if is_beside {
                return Ok(Err(Waits::BadChecksum {
                    list: list.key.clone(),
                    why: format!("it does not name {}", name_of(&object.key)),
                }));
            }
            return Ok(Ok(None));
        };
        stamp.add(list);
        Ok(Ok(Some(Claim {
            algorithm: line.algorithm,
            hex: line.hex.clone(),
            list: list.key.clone(),
            stamp: Stamp::of(list),
        })))
    }

    fn lines(&mut self, list: &Found) -> io::Result<Listed> {
        if let Some(known) = self.lists.get(&list.key) {
            return Ok(known.clone());
        }
        let read = match list.size_bytes > checksum::MAX_BYTES {
            true => Err(format!(
                "it has {} bytes, and {} are read",
                list.size_bytes,
                checksum::MAX_BYTES
            )),
            false => self
                .read(&list.key, checksum::MAX_BYTES)
                .and_then(|bytes| checksum::read(name_of(&list.key), &bytes))
                .map(Rc::new),
        };
        self.lists.insert(list.key.clone(), read.clone());
        Ok(read)
    }

    fn order(&mut self, object: &Found, stamp: &mut Stamp) -> io::Result<Result<Option<SidecarOrder>, Waits>> {
        for key in companions::beside(&object.key, ORDER_ENDING) {
            let Some(found) = self.look(&key)? else { continue };
            stamp.add(&found);
            let read = match found.size_bytes > side_order::MAX_BYTES as u64 {
                true => Err(format!(
                    "it has {} bytes, and {} are read",
                    found.size_bytes,
                    side_order::MAX_BYTES
                )),
                false => self
                    .read(&key, side_order::MAX_BYTES as u64)
                    .and_then(|bytes| side_order::read(&bytes)),
            };
            return Ok(match read {
                Ok(order) => Ok(Some(order)),
                Err(why) => Err(Waits::BadOrder { order: key, why }),
            });
        }
        Ok(Ok(None))
    }

    fn subtitles(&mut self, object: &Found, stamp: &mut Stamp) -> io::Result<Vec<SideText>> {
        let folder = folder_of(&object.key);
        let names = self.names_in(folder)?;
        let mut found = Vec::new();
        for name in names.iter() {
            let Some(language) = companions::subtitle_language(&object.key, name) else {
                continue;
            };
            let key = join(folder, name);
            // One without content says nothing; while it gets some, nothing is taken.
            if let Some(text) = self.look(&key)? {
                stamp.add(&text);
                if text.size_bytes > 0 {
                    found.push(SideText { key, language });
                }
            }
        }
        found.sort_by(|one: &SideText, other| (&one.language, &one.key).cmp(&(&other.language, &other.key)));
        found.truncate(MOST_SUBTITLES);
        Ok(found)
    }

    fn names_in(&mut self, folder: &str) -> io::Result<Rc<Vec<String>>> {
        if let Some(known) = self.names.get(folder) {
            return Ok(Rc::clone(known));
        }
        let listed = self
            .folder
            .list(folder)
            .map_err(|fault| io::Error::other(fault.cause))?;
        let speaking = |name: &String| {
            companions::is_checksum(name) || companions::is_subtitle(name) || name.as_str() == MHL_FOLDER
        };
        // Of a folder with a hundred thousand films only the few names that speak of others are kept.
        let names = Rc::new(listed.into_iter().filter(speaking).collect::<Vec<_>>());
        self.names.insert(folder.to_owned(), Rc::clone(&names));
        Ok(names)
    }

    /// All of a small file, or a clause.
    fn read(&self, key: &str, limit: u64) -> Result<Vec<u8>, String> {
        let (file, _) = self.folder.open(key).map_err(|fault| fault.cause)?;
        let mut bytes = Vec::new();
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// What lies beside an object and is said of it, for people. What comes after its tasks were made is in none of them.
pub fn told_of(root: &Path, rules: &NameRules, key: &str) -> Option<Word> {
    let folder = Folder::new("", root);
    let mut surroundings = Surroundings::new(&folder, rules);
    let options = rules.options();
    let mut keys: Vec<String> = Vec::new();
    if options.orders {
        keys.extend(companions::beside(key, ORDER_ENDING));
    }
    if options.subtitles && !companions::is_subtitle(key) {
        let object = surroundings.look(key).ok().flatten()?;
        let texts = surroundings.subtitles(&object, &mut Stamp::default()).ok()?;
        keys.extend(texts.into_iter().map(|text| text.key));
    }
    let there = keys.iter().filter_map(|key| surroundings.look(key).ok().flatten());
    let told = there.map(|found| {
        let changed = UtcMs(found.mtime_ns / 1_000_000);
        format!("{} (of {})", found.key, changed.wire())
    });
    let told: Vec<String> = told.take(TOLD).collect();
    (!told.is_empty()).then(|| {
        Word::tells(
            "beside",
            format!(
                "Beside it and about it: {}. What came after it settled is in no task that was made then; start it again \
                 to have it.",
                told.join(", ")
            ),
        )
    })
}

/// Identities of files, hashed in their order; 0: of none.
#[derive(Default)]
struct Stamp(Option<std::hash::DefaultHasher>);

impl Stamp {
    fn add(&mut self, found: &Found) {
        (&found.key, found.size_bytes, found.mtime_ns, found.ctime_ns).hash(self.0.get_or_insert_default());
    }

    fn of(found: &Found) -> u64 {
        let mut stamp = Stamp::default();
        stamp.add(found);
        stamp.finish()
    }

    fn finish(self) -> u64 {
        self.0.map_or(0, |hasher| hasher.finish())
    }
}
