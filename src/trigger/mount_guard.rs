//! Whether what stands under a storage's path is still that storage.
//!
//! A share that is not mounted looks like an empty folder; taken at its word, everything in it vanished, and
//! everything is new when it comes back. Guarantees: doubt stops triggering and says why, and nothing else; it ends by
//! itself when the storage is as it was. Deliberately absent: deleting or re-queueing anything, ever.

/// Objects of which most do not just vanish, not even on a local disk.
const MANY: usize = 20;
/// How the reason of a mass disappearance begins: it outlives the daemon in words alone.
const MASS: &str = "most of its objects are gone";

/// A doubt on account of objects that are gone, all but `after` of `before`; none: so many may go. `before` is without
/// those that we removed ourselves.
pub fn mass(before: usize, after: usize) -> Option<String> {
    (before >= MANY && after < before.div_ceil(2)).then(|| {
        format!(
            "{MASS}: of {before} that the scan before met {} were not met again; it goes on when half of them are back, or \
             when it is thawed",
            before - after
        )
    })
}

/// Whether a doubt is one on account of objects that are gone.
pub fn is_mass(why: &str) -> bool {
    why.starts_with(MASS)
}

/// A root as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// What it lies on, in words.
    pub mount: String,
    /// It is not the host's root file system and not the one before: a mount of its own point.
    pub own_mount: bool,
    /// It holds nothing, not even hidden names.
    pub empty: bool,
    /// Other hosts write there too.
    pub shared: bool,
    /// The file without which it is not the storage, where one is asked for and missing.
    pub missing_sentinel: Option<String>,
}

/// What is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belief {
    /// It is the storage.
    Same,
    /// Nothing was there before, and now the share is mounted: begin from the beginning.
    Begin,
    /// It may not be the storage, with the reason.
    Doubt(String),
    /// It is not the storage, whatever anybody says.
    Refusal(String),
}

/// Judges a root, given what the storage lay on before and how many objects were in it.
pub fn judge(before: Option<&str>, objects: usize, root: &Root) -> Belief {
    if let Some(name) = &root.missing_sentinel {
        return Belief::Refusal(format!(
            "{name}, which must be in it (sentinel), is not there; mount what was there, or make that file if this is the storage"
        ));
    }
    match before {
        None => return Belief::Begin,
        Some(before) if before != root.mount => {
            if objects == 0 && root.own_mount {
                return Belief::Begin;
            }
            return Belief::Doubt(format!(
                "its folder lay on {before} and now lies on {}; mount what was there, or thaw the storage if the change is meant",
                root.mount
            ));
        }
        Some(_) => {}
    }
    if root.empty && objects > 0 && (root.shared || objects >= MANY) {
        return Belief::Doubt(format!(
            "its folder is empty, though {objects} objects were there; it goes on when something is there again, or when it is thawed"
        ));
    }
    Belief::Same
}

#[cfg(test)]
mod tests {
    use super::Belief;
    use super::Root;
    use super::is_mass;
    use super::judge;
    use super::mass;

    fn root(mount: &str, empty: bool, shared: bool) -> Root {
        Root {
            mount: mount.to_owned(),
            own_mount: mount != "/ (ext4)",
            empty,
            shared,
            missing_sentinel: None,
        }
    }

    #[test]
    fn without_its_sentinel_it_is_never_the_storage() {
        let nas = Root {
            missing_sentinel: Some(".here".to_owned()),
            ..root("/mnt/nas (nfs4 nas:/vol)", false, true)
        };
        assert!(matches!(judge(None, 0, &nas), Belief::Refusal(why) if why.contains(".here")));
        assert!(matches!(judge(Some(&nas.mount), 0, &nas), Belief::Refusal(_)));
    }

    #[test]
    fn most_of_many_do_not_just_vanish() {
        assert_eq!(mass(19, 0), None);
        assert_eq!(mass(20, 10), None);
        assert!(mass(20, 9).is_some_and(|why| is_mass(&why) && why.contains("of 20 ") && why.contains("11")));
        assert_eq!(mass(1_001, 501), None);
        assert!(mass(1_001, 500).is_some());
        assert!(!is_mass("its folder is empty"));
    }

    #[test]
    fn another_mount_or_an_emptied_share_is_doubted_and_heals() {
        let nas = "/mnt/nas (nfs4 nas:/vol)";
        assert_eq!(judge(None, 0, &root(nas, false, true)), Belief::Begin);
        assert_eq!(judge(Some(nas), 5, &root(nas, false, true)), Belief::Same);
        assert!(matches!(judge(Some(nas), 5, &root("/ (ext4)", true, false)), Belief::Doubt(why) if why.contains(nas)));
        assert!(matches!(judge(Some(nas), 5, &root(nas, true, true)), Belief::Doubt(_)));
        assert_eq!(judge(Some(nas), 0, &root(nas, true, true)), Belief::Same);
    }

    #[test]
    fn a_share_mounted_after_the_start_is_begun_with_when_nothing_was_there() {
        let nas = root("/mnt/nas (nfs4 nas:/vol)", false, true);
        assert_eq!(judge(Some("/ (ext4)"), 0, &nas), Belief::Begin);
        assert!(matches!(judge(Some("/ (ext4)"), 3, &nas), Belief::Doubt(_)));
    }

    #[test]
    fn a_local_folder_may_be_emptied_of_a_few() {
        assert_eq!(judge(Some("/ (ext4)"), 3, &root("/ (ext4)", true, false)), Belief::Same);
        assert!(matches!(
            judge(Some("/ (ext4)"), 20, &root("/ (ext4)", true, false)),
            Belief::Doubt(_)
        ));
    }
}
