//! Is the committed PTX what the compiler makes of the kernels?

use crate::twins;
use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_ptx_is_what_the_source_compiles_to() {
    let version = ["clang-14", "clang"].into_iter().find_map(|name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, rest) = text.split_once("clang version ")?;
        Some((name, rest.split('.').next()?.to_owned()))
    });
    let Some((clang, version)) = version else {
        assert!(!twins::required(), "no clang");
        eprintln!("skipped: there is no clang");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let built = Command::new(twins::sources().join("build.sh"))
        .arg(folder.path())
        .env("CLANG", clang)
        .output()
        .expect("the script starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let read = |folder: &Path, name: &str| std::fs::read_to_string(folder.join(name)).expect("PTX");
    for name in ["blend", "fields", "rgb", "scale", "tone"].map(|name| format!("{name}.ptx")) {
        let (made, committed) = (read(folder.path(), &name), read(&twins::sources(), &name));
        let compiler = committed.lines().next().unwrap_or_default();
        if compiler == format!("// clang {version}") {
            assert!(
                made == committed,
                "{name} is not what build.sh makes of its source: run it"
            );
        } else {
            eprintln!("{name}: not compared, {compiler} made it and this is clang {version}");
            assert!(made.contains(".visible .entry"), "{name}");
        }
    }
}
