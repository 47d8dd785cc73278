//! Groups of this host by name, and which of them this process may give files to.
//!
//! Guarantees: a number is taken as it is; names are those of /etc/group. Deliberately absent: directory services, whose
//! groups are written as numbers (`getent group NAME` tells them).

use std::path::Path;

/// The number of a group that is written as a name or a number.
///
/// # Errors
/// A clause: there is no such group.
pub fn number_of(written: &str) -> Result<u32, String> {
    if let Ok(number) = written.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string(Path::new("/etc/group")).map_err(|error| format!("/etc/group: {error}"))?;
    in_list(&groups, written).ok_or_else(|| {
        format!(
            "there is no group {written:?} in /etc/group; one of a directory service is written as its number, which \
             `getent group {written}` tells"
        )
    })
}

fn in_list(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// Whether this process may give its files to a group: root may, and members.
pub fn may_give_to(group: u32) -> bool {
    let ours = || rustix::process::getgroups().unwrap_or_default();
    rustix::process::geteuid().is_root()
        || rustix::process::getegid().as_raw() == group
        || ours().iter().any(|known| known.as_raw() == group)
}

#[cfg(test)]
mod tests {
    use super::in_list;
    use super::may_give_to;
    use super::number_of;

    #[test]
    fn names_and_numbers_are_read() {
        assert_eq!(in_list("root:x:0:\nmedia:x:1234:a,b\n", "media"), Some(1234));
        assert_eq!(in_list("root:x:0:\n", "media"), None);
        assert_eq!(number_of("4711"), Ok(4711));
        assert_eq!(number_of("root"), Ok(0));
        assert!(number_of("no such group").expect_err("none").contains("getent"));
        assert!(may_give_to(rustix::process::getegid().as_raw()));
    }
}
