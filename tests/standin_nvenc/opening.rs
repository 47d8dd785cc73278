//! From the library to an initialised session: what is offered, how much of it, and which parameters are refused.

use crate::broke;
use crate::call;
use crate::driver::Driver;
use crate::driver::run;
use crate::driver::run_bare;
use crate::encoder::AV1;
use crate::encoder::Encoder;
use crate::encoder::H264;
use crate::encoder::HEVC;
use crate::encoder::Plan;
use crate::nothing_broken;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::GUID;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CAPS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_INITIALIZE_PARAMS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_PARAMS_RC_MODE;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;
use std::ptr::null_mut;

#[test]
fn an_older_driver_makes_no_instance() {
    let broken = run_bare(
        "opening::an_older_driver_makes_no_instance",
        &[("STANDIN_NVENC_VERSION", "11.1")],
        |driver| {
            let mut version = 0;
            type Max = unsafe extern "C" fn(*mut u32) -> NVENCSTATUS;
            // SAFETY: the answer is ours.
            let status = unsafe { driver.cuda::<Max>("NvEncodeAPIGetMaxSupportedVersion")(&mut version) };
            assert_eq!((status, version), (NV_ENC_SUCCESS, 11 << 4 | 1));
            assert_eq!(driver.instance(), NV_ENC_ERR_INVALID_VERSION);
        },
    );
    broke(broken, &["older than the client"]);
}

#[test]
fn the_list_is_whole() {
    let broken = run_bare("opening::the_list_is_whole", &[], |driver| {
        assert_eq!(driver.instance(), NV_ENC_SUCCESS);
        let words = &raw const driver.list;
        // SAFETY: a struct of pointers behind two words of 32 bits, read as such.
        let entries = unsafe { std::slice::from_raw_parts(words.cast::<usize>().add(1), 43) };
        let empty = entries.iter().filter(|entry| **entry == 0).count();
        assert_eq!(empty, 1, "the reserved one alone");
        driver.list.version += 1;
        assert_eq!(driver.instance(), NV_ENC_ERR_INVALID_VERSION);
    });
    broke(broken, &["NV_ENCODE_API_FUNCTION_LIST::version"]);
}

#[test]
fn a_card_without_an_encoder_opens_nothing() {
    let broken = run(
        "opening::a_card_without_an_encoder_opens_nothing",
        &[("STANDIN_NO_NVENC", "1")],
        |driver| {
            assert_eq!(driver.session(), Err(NV_ENC_ERR_UNSUPPORTED_DEVICE));
        },
    );
    nothing_broken(broken);
}

#[test]
fn sessions_are_counted() {
    for (error, status) in [
        ("10", NV_ENC_ERR_OUT_OF_MEMORY),
        ("21", NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY),
    ] {
        let settings = [("STANDIN_SESSIONS", "2"), ("STANDIN_SESSION_ERROR", error)];
        let broken = run("opening::sessions_are_counted", &settings, |driver| {
            // The environment of this process says which of the two it is.
            let status = match std::env::var("STANDIN_SESSION_ERROR").as_deref() {
                Ok("21") => NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY,
                _ => NV_ENC_ERR_OUT_OF_MEMORY,
            };
            let first = driver.session().expect("the first");
            let second = driver.session().expect("the second");
            assert_eq!(driver.session(), Err(status));
            assert_eq!(call!(driver, nvEncDestroyEncoder, first), NV_ENC_SUCCESS);
            let third = driver.session().expect("in the place of the first");
            for session in [second, third] {
                assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
            }
        });
        let Some(broken) = broken else { return };
        assert_eq!(broken, Vec::<String>::new(), "{status:?}");
    }
}

#[test]
fn sessions_are_of_the_current_primary_context() {
    let broken = run("opening::sessions_are_of_the_current_primary_context", &[], |driver| {
        let current = driver.cuda::<extern "C" fn(*mut c_void) -> i32>("cuCtxSetCurrent");
        assert_eq!(current(null_mut()), 0);
        assert_eq!(driver.session(), Err(NV_ENC_ERR_INVALID_DEVICE));
    });
    broke(broken, &["not current on this thread"]);
}

fn capability(driver: &Driver, session: *mut c_void, codec: GUID, asked: NV_ENC_CAPS) -> i32 {
    let mut params = sys::NV_ENC_CAPS_PARAM {
        version: sys::NV_ENC_CAPS_PARAM_VER,
        capsToQuery: asked,
        reserved: [0; 62],
    };
    let mut value = -1;
    let status = call!(driver, nvEncGetEncodeCaps, session, codec, &mut params, &mut value);
    assert_eq!(status, NV_ENC_SUCCESS);
    value
}

fn codecs(driver: &Driver, session: *mut c_void) -> Vec<GUID> {
    let (mut count, mut written) = (0, 0);
    assert_eq!(
        call!(driver, nvEncGetEncodeGUIDCount, session, &mut count),
        NV_ENC_SUCCESS
    );
    let mut guids = vec![H264; count as usize];
    let status = call!(
        driver,
        nvEncGetEncodeGUIDs,
        session,
        guids.as_mut_ptr(),
        count,
        &mut written
    );
    assert_eq!((status, written), (NV_ENC_SUCCESS, count));
    guids
}

#[test]
fn abilities_are_what_the_environment_leaves() {
    let all = run("opening::abilities_are_what_the_environment_leaves", &[], |driver| {
        let session = driver.session().expect("a session");
        assert_eq!(codecs(driver, session), [H264, HEVC, AV1]);
        assert_eq!(
            capability(driver, session, HEVC, NV_ENC_CAPS::NV_ENC_CAPS_NUM_MAX_BFRAMES),
            4
        );
        assert_eq!(
            capability(driver, session, HEVC, NV_ENC_CAPS::NV_ENC_CAPS_SUPPORT_10BIT_ENCODE),
            1
        );
        assert_eq!(
            capability(driver, session, H264, NV_ENC_CAPS::NV_ENC_CAPS_SUPPORT_10BIT_ENCODE),
            0
        );
        assert_eq!(
            capability(driver, session, H264, NV_ENC_CAPS::NV_ENC_CAPS_SUPPORT_LOOKAHEAD),
            1
        );
        let (mut presets, mut profiles, mut formats) = (0, 0, 0);
        assert_eq!(
            call!(driver, nvEncGetEncodePresetCount, session, HEVC, &mut presets),
            NV_ENC_SUCCESS
        );
        assert_eq!(
            call!(driver, nvEncGetEncodeProfileGUIDCount, session, HEVC, &mut profiles),
            NV_ENC_SUCCESS
        );
        assert_eq!(
            call!(driver, nvEncGetInputFormatCount, session, HEVC, &mut formats),
            NV_ENC_SUCCESS
        );
        assert_eq!((presets, profiles, formats), (7, 3, 2));
        assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
    });
    nothing_broken(all);
}

#[test]
fn abilities_can_be_taken_away() {
    let settings = [
        ("STANDIN_NVENC_CODECS", "h264,hevc"),
        ("STANDIN_MAX_BFRAMES", "0"),
        ("STANDIN_NO_10BIT", "1"),
        ("STANDIN_NO_LOOKAHEAD", "1"),
    ];
    let broken = run("opening::abilities_can_be_taken_away", &settings, |driver| {
        let session = driver.session().expect("a session");
        assert_eq!(codecs(driver, session), [H264, HEVC]);
        for asked in [
            NV_ENC_CAPS::NV_ENC_CAPS_NUM_MAX_BFRAMES,
            NV_ENC_CAPS::NV_ENC_CAPS_SUPPORT_10BIT_ENCODE,
            NV_ENC_CAPS::NV_ENC_CAPS_SUPPORT_LOOKAHEAD,
        ] {
            assert_eq!(capability(driver, session, HEVC, asked), 0);
        }
        let refused = |plan: Plan| initialised(driver, session, plan, |_, _| {});
        let plan = Plan::new(HEVC);
        assert_eq!(refused(Plan { bframes: 1, ..plan }), NV_ENC_ERR_INVALID_PARAM);
        assert_eq!(refused(Plan { ten_bit: true, ..plan }), NV_ENC_ERR_INVALID_PARAM);
        assert_eq!(refused(Plan { lookahead: 8, ..plan }), NV_ENC_ERR_INVALID_PARAM);
        assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
    });
    broke(broken, &["B-frames", "10 bits", "lookahead"]);
}

fn initialised(
    driver: &Driver,
    session: *mut c_void,
    plan: Plan,
    change: impl FnOnce(&mut NV_ENC_INITIALIZE_PARAMS, &mut NV_ENC_CONFIG),
) -> NVENCSTATUS {
    let mut config = NV_ENC_CONFIG::default();
    let mut params = plan.params(driver, session, &mut config);
    change(&mut params, &mut config);
    params.encodeConfig = &mut config;
    call!(driver, nvEncInitializeEncoder, session, &mut params)
}

/// A change to good parameters, and the words of what is wrong with it.
type Wrong = (fn(&mut NV_ENC_INITIALIZE_PARAMS, &mut NV_ENC_CONFIG), &'static str);

#[test]
fn parameters_are_judged() {
    const WRONG: [Wrong; 22] = [
        (|params, _| params.version -= 1, "NV_ENC_INITIALIZE_PARAMS::version"),
        (|_, config| config.version &= 0x7fff_ffff, "NV_ENC_CONFIG::version"),
        (|params, _| params.reserved[284] = 1, "reserved"),
        (|_, config| config.rcParams.reserved[3] = 1, "reserved"),
        (|params, _| params.enableEncodeAsync = 1, "asynchronous"),
        (|params, _| params.presetGUID.Data1 += 1, "preset GUID"),
        (
            |params, _| params.tuningInfo = sys::NV_ENC_TUNING_INFO::NV_ENC_TUNING_INFO_UNDEFINED,
            "tuningInfo",
        ),
        (|params, _| params.encodeWidth = 0, "encodeWidth"),
        (|params, _| params.encodeHeight += 1, "chroma has half"),
        (|params, _| params.maxEncodeWidth = 192, "only one is set"),
        (|params, _| params.frameRateDen = 0, "frameRateDen"),
        (|params, _| params.set_splitEncodeMode(1), "split encoding"),
        (
            |_, config| config.profileGUID = sys::NV_ENC_HEVC_PROFILE_MAIN_GUID,
            "profile GUID",
        ),
        (|_, config| config.gopLength = 0, "gopLength"),
        (
            |_, config| {
                config.gopLength = sys::NVENC_INFINITE_GOPLENGTH;
                config.frameIntervalP = 3;
            },
            "infinite",
        ),
        (|_, config| config.frameIntervalP = 7, "6 B-frames"),
        (
            |_, config| {
                config.rcParams.set_enableLookahead(1);
                config.rcParams.lookaheadDepth = 32;
            },
            "lookaheadDepth",
        ),
        (
            |_, config| {
                config.rcParams.rateControlMode = NV_ENC_PARAMS_RC_MODE::NV_ENC_PARAMS_RC_CBR;
                config.rcParams.averageBitRate = 0;
            },
            "CBR without a rate",
        ),
        (|_, config| config.rcParams.maxBitRate = 1, "maxBitRate"),
        (|_, config| config.rcParams.targetQuality = 52, "targetQuality"),
        (
            |_, config| config.encodeCodecConfig.h264Config.level = 9,
            "Invalid Level",
        ),
        (
            // SAFETY: plain numbers.
            |_, config| unsafe { config.encodeCodecConfig.h264Config.set_disableSPSPPS(1) },
            "disableSPSPPS",
        ),
    ];
    let broken = run("opening::parameters_are_judged", &[], |driver| {
        let session = driver.session().expect("a session");
        let plan = Plan {
            bframes: 1,
            ..Plan::new(H264)
        };
        for (change, words) in WRONG {
            let status = initialised(driver, session, plan, change);
            assert_ne!(status, NV_ENC_SUCCESS, "{words}");
            let text = call!(driver, nvEncGetLastErrorString, session);
            // SAFETY: a text of the session.
            let text = unsafe { std::ffi::CStr::from_ptr(text) };
            assert!(
                text.to_string_lossy().contains(words),
                "{text:?} says nothing of {words:?}"
            );
        }
        // Beyond the device, and no offence.
        let small = Plan { width: 64, ..plan };
        assert_eq!(initialised(driver, session, small, |_, _| {}), NV_ENC_ERR_INVALID_PARAM);
        assert_eq!(initialised(driver, session, plan, |_, _| {}), NV_ENC_SUCCESS);
        assert_eq!(initialised(driver, session, plan, |_, _| {}), NV_ENC_ERR_INVALID_CALL);
        assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
    });
    let words: Vec<_> = WRONG
        .iter()
        .map(|(_, words)| *words)
        .chain(["initialised already"])
        .collect();
    broke(broken, &words);
}

#[test]
fn colours_without_a_signal_type_are_noticed() {
    let broken = run("opening::colours_without_a_signal_type_are_noticed", &[], |driver| {
        let encoder = Encoder::open_with(driver, Plan::new(HEVC), |_, config| {
            config
                .encodeCodecConfig
                .hevcConfig
                .hevcVUIParameters
                .videoSignalTypePresentFlag = 0;
        });
        encoder.close();
    });
    broke(broken, &["colour description without"]);
}

#[test]
fn encoders_take_memory_of_the_device() {
    let settings = [("STANDIN_MEMORY_MB", "1")];
    let broken = run("opening::encoders_take_memory_of_the_device", &settings, |driver| {
        let session = driver.session().expect("a session");
        let plan = Plan {
            width: 1280,
            height: 720,
            ..Plan::new(H264)
        };
        assert_eq!(initialised(driver, session, plan, |_, _| {}), NV_ENC_ERR_OUT_OF_MEMORY);
        assert_eq!(initialised(driver, session, Plan::new(H264), |_, _| {}), NV_ENC_SUCCESS);
        assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
    });
    nothing_broken(broken);
}
