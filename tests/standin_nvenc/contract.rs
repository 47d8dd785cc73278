//! What a client must not do with a session: each is answered with an error and written down.

use crate::broke;
use crate::call;
use crate::coded::FORCE_IDR;
use crate::driver::run;
use crate::encoder::Encoder;
use crate::encoder::H264;
use crate::encoder::Packet;
use crate::encoder::Plan;
use crate::nothing_broken;
use nvidia_video_codec_sdk::sys::nvEncodeAPI as sys;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NV_ENC_CONFIG;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::c_void;
use std::ptr::null_mut;

#[test]
fn nothing_goes_before_initialisation() {
    let broken = run("contract::nothing_goes_before_initialisation", &[], |driver| {
        let session = driver.session().expect("a session");
        let mut buffer = sys::NV_ENC_CREATE_BITSTREAM_BUFFER {
            version: sys::NV_ENC_CREATE_BITSTREAM_BUFFER_VER,
            ..Default::default()
        };
        let status = call!(driver, nvEncCreateBitstreamBuffer, session, &mut buffer);
        assert_eq!(status, NV_ENC_ERR_ENCODER_NOT_INITIALIZED);
        assert_eq!(call!(driver, nvEncDestroyEncoder, session), NV_ENC_SUCCESS);
        assert_eq!(
            call!(driver, nvEncDestroyEncoder, session),
            NV_ENC_ERR_INVALID_ENCODERDEVICE
        );
    });
    broke(broken, &["before nvEncInitializeEncoder", "was destroyed"]);
}

#[test]
fn memory_must_be_of_the_right_kind_and_size() {
    let broken = run("contract::memory_must_be_of_the_right_kind_and_size", &[], |driver| {
        let encoder = Encoder::open(driver, Plan::new(H264));
        let pooled = driver.pooled(512 * 192);
        let failed = Err(NV_ENC_ERR_RESOURCE_REGISTER_FAILED);
        assert_eq!(encoder.register(pooled, 512), failed);
        let (small, pitch) = driver.pitched(192, 128);
        assert_eq!(encoder.register(small, pitch), failed);
        assert_eq!(encoder.register(encoder.slots[0].address, 190), failed);
        assert_eq!(encoder.register(encoder.slots[0].address, 512), failed);
        assert_eq!(encoder.register(0x1000, 512), failed);
        driver.free(small);
        assert_eq!(encoder.register(small, pitch), failed);
        encoder.close();
    });
    broke(
        broken,
        &[
            "not of cuMemAlloc",
            "its memory",
            "multiple of 4",
            "registered already",
            "no address",
            "freed",
        ],
    );
}

#[test]
fn maps_are_balanced() {
    let broken = run("contract::maps_are_balanced", &[], |driver| {
        let encoder = Encoder::open(driver, Plan::new(H264));
        let registered = encoder.slots[0].registered;
        let mapped = encoder.map(registered).expect("mapped");
        assert_eq!(encoder.map(registered), Err(NV_ENC_ERR_MAP_FAILED));
        let status = call!(driver, nvEncUnregisterResource, encoder.session, registered);
        assert_eq!(status, NV_ENC_ERR_INVALID_CALL);
        assert_eq!(encoder.unmap(mapped), NV_ENC_SUCCESS);
        assert_eq!(encoder.unmap(mapped), NV_ENC_ERR_RESOURCE_NOT_MAPPED);
        let stranger = std::ptr::without_provenance_mut(64);
        assert_eq!(encoder.map(stranger), Err(NV_ENC_ERR_RESOURCE_NOT_REGISTERED));
        encoder.close();
    });
    broke(
        broken,
        &["mapped already", "still mapped", "no such mapped", "no such registered"],
    );
}

#[test]
fn a_mapped_picture_is_not_touched() {
    let broken = run("contract::a_mapped_picture_is_not_touched", &[], |driver| {
        let mut encoder = Encoder::open(
            driver,
            Plan {
                bframes: 1,
                ..Plan::new(H264)
            },
        );
        encoder.encode(0, &mut []);
        encoder.draw(0, 1, null_mut());
        let mapped = encoder.map(encoder.slots[0].registered).expect("mapped");
        let mut picture = encoder.picture(0, mapped, 1);
        let status = call!(driver, nvEncEncodePicture, encoder.session, &mut picture);
        assert_eq!(status, NV_ENC_ERR_NEED_MORE_INPUT);
        encoder.draw(0, 9, null_mut());
        encoder.flush();
        encoder.lock(0, false).expect("locked");
        assert_eq!(encoder.unlock(0), NV_ENC_SUCCESS);
        assert_eq!(encoder.unmap(mapped), NV_ENC_ERR_INVALID_CALL);
        encoder.close();
    });
    broke(broken, &["touched while mapped"]);
}

#[test]
fn a_picture_stays_mapped_until_its_output_was_locked() {
    let broken = run(
        "contract::a_picture_stays_mapped_until_its_output_was_locked",
        &[],
        |driver| {
            let encoder = Encoder::open(driver, Plan::new(H264));
            encoder.draw(0, 0, null_mut());
            let mapped = encoder.map(encoder.slots[0].registered).expect("mapped");
            let mut picture = encoder.picture(0, mapped, 0);
            let status = call!(driver, nvEncEncodePicture, encoder.session, &mut picture);
            assert_eq!(status, NV_ENC_SUCCESS);
            assert_eq!(encoder.unmap(mapped), NV_ENC_ERR_INVALID_CALL);
            call!(driver, nvEncDestroyEncoder, encoder.session);
        },
    );
    broke(
        broken,
        &[
            "before its output was locked",
            "still registered",
            "hold or wait",
            "not destroyed",
            "end of the stream was not",
        ],
    );
}

#[test]
fn drawing_comes_before_encoding() {
    let broken = run("contract::drawing_comes_before_encoding", &[], |driver| {
        let encoder = Encoder::open(driver, Plan::new(H264));
        let stream = driver.stream();
        let variable = Box::new(stream);
        let submit = |number| {
            encoder.draw(0, number, stream);
            let mapped = encoder.map(encoder.slots[0].registered).expect("mapped");
            let mut picture = encoder.picture(0, mapped, number);
            (call!(driver, nvEncEncodePicture, encoder.session, &mut picture), mapped)
        };
        // The encoder reads on the default stream, which nothing orders behind the other one.
        let (status, mapped) = submit(0);
        assert_eq!(status, NV_ENC_ERR_INVALID_CALL);
        assert_eq!(encoder.unmap(mapped), NV_ENC_SUCCESS);
        let pointer = std::ptr::from_ref(&*variable).cast_mut().cast::<c_void>();
        let status = call!(driver, nvEncSetIOCudaStreams, encoder.session, stream, stream);
        assert_eq!(status, NV_ENC_ERR_INVALID_PARAM);
        let status = call!(driver, nvEncSetIOCudaStreams, encoder.session, pointer, pointer);
        assert_eq!(status, NV_ENC_SUCCESS);
        let (status, mapped) = submit(0);
        assert_eq!(status, NV_ENC_SUCCESS);
        encoder.lock(0, false).expect("locked");
        assert_eq!(encoder.unlock(0), NV_ENC_SUCCESS);
        assert_eq!(encoder.unmap(mapped), NV_ENC_SUCCESS);
        let mut encoder = encoder;
        encoder.flush();
        encoder.close();
        driver.settle(stream);
    });
    broke(broken, &["neither on the input stream", "the address of a variable"]);
}

#[test]
fn buffers_are_locked_in_their_order_and_when_they_may() {
    let broken = run(
        "contract::buffers_are_locked_in_their_order_and_when_they_may",
        &[],
        |driver| {
            let mut encoder = Encoder::open(
                driver,
                Plan {
                    bframes: 2,
                    ..Plan::new(H264)
                },
            );
            let submit = |slot: usize| {
                encoder.draw(slot, slot as u64, null_mut());
                let mapped = encoder.map(encoder.slots[slot].registered).expect("mapped");
                let mut picture = encoder.picture(slot, mapped, slot as u64);
                (call!(driver, nvEncEncodePicture, encoder.session, &mut picture), mapped)
            };
            let (first, mapped0) = submit(0);
            assert_eq!(first, NV_ENC_SUCCESS);
            let (second, mapped1) = submit(1);
            assert_eq!(second, NV_ENC_ERR_NEED_MORE_INPUT);
            assert_eq!(encoder.lock(2, false).err(), Some(NV_ENC_ERR_INVALID_CALL));
            assert_eq!(encoder.lock(1, false).err(), Some(NV_ENC_ERR_INVALID_CALL));
            encoder.lock(0, false).expect("its turn");
            assert_eq!(encoder.lock(0, false).err(), Some(NV_ENC_ERR_INVALID_CALL));
            assert_eq!(encoder.unlock(0), NV_ENC_SUCCESS);
            assert_eq!(encoder.unlock(0), NV_ENC_ERR_INVALID_PARAM);
            assert_eq!(encoder.lock(1, false).err(), Some(NV_ENC_ERR_INVALID_CALL));
            assert_eq!(encoder.unmap(mapped0), NV_ENC_SUCCESS);
            encoder.flush();
            encoder.lock(1, false).expect("after the end");
            assert_eq!(encoder.unlock(1), NV_ENC_SUCCESS);
            assert_eq!(encoder.unmap(mapped1), NV_ENC_SUCCESS);
            encoder.close();
        },
    );
    broke(
        broken,
        &[
            "no picture was submitted",
            "order of submission",
            "locked already",
            "not locked",
            "needs more input",
        ],
    );
}

/// A session that a second thread uses, too.
struct Shared<'a, 'b>(&'a Encoder<'b>);

// SAFETY: a session may be used by several threads; its handles are numbers.
unsafe impl Send for Shared<'_, '_> {}

impl Shared<'_, '_> {
    fn lock(&self, slot: usize) -> Result<Packet, NVENCSTATUS> {
        self.0.lock(slot, false)
    }
}

#[test]
fn a_lock_waits_for_another_thread() {
    let plan = Plan {
        lookahead: 2,
        ..Plan::new(H264)
    };
    let broken = run("contract::a_lock_waits_for_another_thread", &[], |driver| {
        let mut encoder = Encoder::open(driver, plan);
        let submit = |slot: usize| {
            encoder.draw(slot, slot as u64, null_mut());
            let mapped = encoder.map(encoder.slots[slot].registered).expect("mapped");
            let mut picture = encoder.picture(slot, mapped, slot as u64);
            let status = call!(driver, nvEncEncodePicture, encoder.session, &mut picture);
            (status, mapped)
        };
        let mut mapped = Vec::new();
        for slot in 0..3 {
            let (status, input) = submit(slot);
            let wanted = if slot < 2 {
                NV_ENC_ERR_NEED_MORE_INPUT
            } else {
                NV_ENC_SUCCESS
            };
            assert_eq!(status, wanted);
            mapped.push(input);
        }
        assert_eq!(encoder.lock(0, false).expect("coded").timestamp, 0);
        assert_eq!(encoder.unlock(0), NV_ENC_SUCCESS);
        assert_eq!(encoder.lock(1, true).err(), Some(NV_ENC_ERR_LOCK_BUSY));
        std::thread::scope(|scope| {
            let shared = Shared(&encoder);
            let waiting = scope.spawn(move || shared.lock(1).map(|packet| packet.timestamp));
            let (status, input) = submit(3);
            assert_eq!(status, NV_ENC_SUCCESS);
            mapped.push(input);
            assert_eq!(waiting.join().expect("a thread"), Ok(40));
        });
        assert_eq!(encoder.unlock(1), NV_ENC_SUCCESS);
        encoder.flush();
        for slot in 2..4 {
            assert_eq!(encoder.lock(slot, false).expect("coded").timestamp, slot as u64 * 40);
            assert_eq!(encoder.unlock(slot), NV_ENC_SUCCESS);
        }
        for input in mapped {
            assert_eq!(encoder.unmap(input), NV_ENC_SUCCESS);
        }
        encoder.close();
    });
    nothing_broken(broken);
}

#[test]
fn a_buffer_is_submitted_once_at_a_time() {
    let broken = run("contract::a_buffer_is_submitted_once_at_a_time", &[], |driver| {
        let mut encoder = Encoder::open(driver, Plan::new(H264));
        encoder.draw(0, 0, null_mut());
        let mapped = encoder.map(encoder.slots[0].registered).expect("mapped");
        let submit = || {
            let mut picture = encoder.picture(0, mapped, 0);
            call!(driver, nvEncEncodePicture, encoder.session, &mut picture)
        };
        assert_eq!(submit(), NV_ENC_SUCCESS);
        assert_eq!(submit(), NV_ENC_ERR_INVALID_PARAM);
        encoder.lock(0, false).expect("coded");
        assert_eq!(submit(), NV_ENC_ERR_INVALID_PARAM);
        let status = call!(
            driver,
            nvEncDestroyBitstreamBuffer,
            encoder.session,
            encoder.slots[0].output
        );
        assert_eq!(status, NV_ENC_ERR_INVALID_CALL);
        assert_eq!(encoder.unlock(0), NV_ENC_SUCCESS);
        assert_eq!(encoder.unmap(mapped), NV_ENC_SUCCESS);
        encoder.flush();
        encoder.close();
    });
    broke(
        broken,
        &["submitted before", "outputBitstream is locked", "buffer is locked"],
    );
}

#[test]
fn memory_outlives_its_registration() {
    let broken = run("contract::memory_outlives_its_registration", &[], |driver| {
        let mut encoder = Encoder::open(driver, Plan::new(H264));
        let slot = encoder.slots.remove(0);
        driver.free(slot.address);
        assert_eq!(encoder.map(slot.registered), Err(NV_ENC_ERR_MAP_FAILED));
        let status = call!(driver, nvEncUnregisterResource, encoder.session, slot.registered);
        assert_eq!(status, NV_ENC_ERR_INVALID_CALL);
        let status = call!(driver, nvEncDestroyBitstreamBuffer, encoder.session, slot.output);
        assert_eq!(status, NV_ENC_SUCCESS);
        encoder.close();
    });
    broke(broken, &["was freed", "freed before the resource was unregistered"]);
}

#[test]
fn variables_of_streams_stay_where_they_are() {
    let broken = run("contract::variables_of_streams_stay_where_they_are", &[], |driver| {
        let mut encoder = Encoder::open(driver, Plan::new(H264));
        let mut variable = Box::new(driver.stream());
        let pointer = (&raw mut *variable).cast::<c_void>();
        let status = call!(driver, nvEncSetIOCudaStreams, encoder.session, pointer, pointer);
        assert_eq!(status, NV_ENC_SUCCESS);
        encoder.encode(0, &mut []);
        *variable = driver.stream();
        assert_eq!(encoder.try_encode(0, &mut []).0, NV_ENC_ERR_INVALID_PARAM);
        encoder.flush();
        encoder.close();
    });
    broke(broken, &["hold something else now"]);
}

#[test]
fn nothing_goes_on_a_lost_device() {
    let broken = run("contract::nothing_goes_on_a_lost_device", &[], |driver| {
        let mut encoder = Encoder::open(
            driver,
            Plan {
                bframes: 1,
                ..Plan::new(H264)
            },
        );
        encoder.encode(0, &mut []);
        let mapped = encoder.map(encoder.slots[0].registered).expect("mapped");
        let mut picture = encoder.picture(0, mapped, 1);
        // Beyond the end of its memory.
        type Copy = unsafe extern "C" fn(u64, *const c_void, usize) -> i32;
        let bytes = vec![0_u8; 1 << 20];
        // SAFETY: so many bytes are there.
        let code = unsafe {
            driver.cuda::<Copy>("cuMemcpyHtoD_v2")(encoder.slots[1].address, bytes.as_ptr().cast(), bytes.len())
        };
        assert_eq!(code, 700);
        let status = call!(driver, nvEncEncodePicture, encoder.session, &mut picture);
        assert_eq!(status, NV_ENC_ERR_DEVICE_NOT_EXIST);
        assert_eq!(encoder.lock(0, false).err(), Some(NV_ENC_ERR_DEVICE_NOT_EXIST));
        assert_eq!(encoder.unmap(mapped), NV_ENC_ERR_DEVICE_NOT_EXIST);
        assert_eq!(driver.session(), Err(NV_ENC_ERR_DEVICE_NOT_EXIST));
        assert_eq!(call!(driver, nvEncDestroyEncoder, encoder.session), NV_ENC_SUCCESS);
    });
    broke(broken, &["cuMemcpyHtoD"]);
}

#[test]
fn what_is_left_behind_is_noticed() {
    let broken = run("contract::what_is_left_behind_is_noticed", &[], |driver| {
        let mut encoder = Encoder::open(driver, Plan::new(H264));
        encoder.encode(FORCE_IDR, &mut []);
        call!(driver, nvEncDestroyEncoder, encoder.session);
    });
    broke(
        broken,
        &["still registered", "not destroyed", "end of the stream was not"],
    );
}

#[test]
fn errors_come_when_they_are_asked_for() {
    let broken = run(
        "contract::errors_come_when_they_are_asked_for",
        &[("STANDIN_ENCODE_ERROR_AT", "3")],
        |driver| {
            let mut encoder = Encoder::open(driver, Plan::new(H264));
            let statuses: Vec<_> = (0..4).map(|_| encoder.try_encode(0, &mut []).0).collect();
            assert_eq!(
                statuses,
                [NV_ENC_SUCCESS, NV_ENC_SUCCESS, NV_ENC_ERR_GENERIC, NV_ENC_SUCCESS]
            );
            encoder.flush();
            encoder.close();
        },
    );
    nothing_broken(broken);
}

#[test]
fn what_cannot_be_reconfigured_is_refused() {
    let broken = run("contract::what_cannot_be_reconfigured_is_refused", &[], |driver| {
        let plan = Plan::new(H264);
        let encoder = Encoder::open(driver, plan);
        let refused = |plan: Plan| {
            let mut config = NV_ENC_CONFIG::default();
            let mut params = plan.params(driver, encoder.session, &mut config);
            params.encodeConfig = &mut config;
            let mut reconfigure = sys::NV_ENC_RECONFIGURE_PARAMS {
                version: sys::NV_ENC_RECONFIGURE_PARAMS_VER,
                reInitEncodeParams: params,
                ..Default::default()
            };
            call!(driver, nvEncReconfigureEncoder, encoder.session, &mut reconfigure)
        };
        assert_eq!(refused(Plan { gop: 20, ..plan }), NV_ENC_ERR_UNSUPPORTED_PARAM);
        assert_eq!(refused(Plan { bframes: 1, ..plan }), NV_ENC_ERR_UNSUPPORTED_PARAM);
        assert_eq!(refused(Plan { width: 256, ..plan }), NV_ENC_ERR_UNSUPPORTED_PARAM);
        assert_eq!(refused(plan), NV_ENC_SUCCESS);
        encoder.close();
    });
    broke(broken, &["GOP structure", "GOP structure", "the size"]);
}
