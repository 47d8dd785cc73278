//! Programs of hooks_dir, good and ill.

use crate::world::arrive;
use crate::world::configured;
use crate::world::deliveries;
use crate::world::hook;
use crate::world::keeping_hook;
use crate::world::kept;

const SECTIONS: &str = r#"
[[destination]]
name = "good"
kind = "exec"
program = "good"
profile = "native"
global = true
headers = { "X-Studio" = "seven" }
[[destination]]
name = "bad"
kind = "exec"
program = "bad"
profile = "native"
global = true
[[destination]]
name = "hanging"
kind = "exec"
program = "hanging"
profile = "native"
global = true
timeout_s = 1
"#;

#[test]
fn a_program_is_told_on_its_input_and_says_yes_by_ending_well() {
    let mut appliance = configured(SECTIONS);
    keeping_hook(&appliance, "good");
    let sign = appliance.path("sign");
    hook(
        &appliance,
        "bad",
        &format!(
            "echo \"$REELMILL_HEADER_X_STUDIO it does not suit me\" >&2\nenv > {}\nexit 3\n",
            sign.display()
        ),
    );
    hook(&appliance, "hanging", "sleep 600 &\nwait\n");
    appliance.start();
    arrive(&appliance, "a.bin");
    appliance.ended_tasks(1);
    let told = appliance.until("the good one to be told", || {
        let told = kept(&appliance, "good");
        told.into_iter()
            .find(|(variables, _)| variables[0] == "WorkflowTaskComplete")
    });
    assert_eq!(told.1["task"]["workflow_name"], "noop");
    assert_eq!(told.0[2], "1", "the first try");
    let of = |name: &str| {
        deliveries(
            &appliance,
            &format!("destination={name}&event_type=WorkflowTaskComplete"),
        )
        .pop()
    };
    let refused = appliance.until("the bad one to refuse", || {
        of("bad").filter(|delivery| delivery["tries"].as_i64() > Some(0))
    });
    assert_eq!(refused["last_error"], "it ended with exit code 3");
    let whole = appliance.get(&format!(
        "/api/v1/deliveries/{}",
        refused["id"].as_str().expect("an id")
    ));
    assert_eq!(
        whole["history"][0]["answer"], " it does not suit me\n",
        "what it said is kept"
    );
    let environment = std::fs::read_to_string(&sign).expect("written");
    assert!(
        !environment.contains("REELMILL_TOKEN") && !environment.contains("HOME="),
        "{environment}"
    );
    let hung = appliance.until("the hanging one to be killed", || {
        of("hanging").filter(|delivery| delivery["tries"].as_i64() > Some(0))
    });
    assert_eq!(hung["last_error"], "it did not end within 1 s and was killed");
    assert!(appliance.stop().success());
}

#[test]
fn a_program_that_others_may_write_keeps_the_daemon_from_starting() {
    use std::os::unix::fs::PermissionsExt;
    let appliance = configured(SECTIONS);
    for name in ["good", "bad", "hanging"] {
        hook(&appliance, name, "exit 0\n");
    }
    let path = appliance.path("hooks/bad");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).expect("set");
    let config = appliance.config();
    let output = crate::appliance::reelmill(&["serve", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(2), "{}", crate::appliance::said(&output));
    let said = crate::appliance::said(&output);
    assert!(
        said.contains("others than its owner may write it") && said.contains("destination bad"),
        "{said}"
    );
}
