//! Encoder sessions: which are open, and all that belongs to each.
//!
//! Guarantees: one thread at a time works on a session; a session that is destroyed is no session any more.

use crate::cuda::context::Context;
use crate::cuda::memory::Reserved;
use crate::cuda::stream;
use crate::cuda::stream::Stream as CudaStream;
use crate::handle::Table;
use crate::nvenc::answer::Answer;
use crate::nvenc::answer::breach;
use crate::nvenc::answer::refused;
use crate::nvenc::answer::status_of;
use crate::nvenc::order::Order;
use crate::nvenc::output::Outputs;
use crate::nvenc::picture::Picture;
use crate::nvenc::resource::Resources;
use crate::nvenc::setup::Setup;
use crate::nvenc::stream::Extras;
use crate::nvenc::stream::Stream;
use crate::settings::settings;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS;
use nvidia_video_codec_sdk::sys::nvEncodeAPI::NVENCSTATUS::*;
use std::ffi::CString;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::ThreadId;
use std::time::Duration;

static SESSIONS: Table<Session> = Table::new();
static HANDLES: Table<()> = Table::new();
static OPENING: Mutex<()> = Mutex::new(());

/// A session.
pub struct Session {
    pub context: Arc<Context>,
    state: Mutex<State>,
    /// Something was coded, or the session ends.
    pub changed: Condvar,
}

/// What changes of a session.
pub struct State {
    /// What it was initialised with, or reconfigured to.
    pub running: Option<Running>,
    pub resources: Resources,
    pub outputs: Outputs,
    pub last_error: CString,
    pub streams: Option<IoStreams>,
    /// Which thread submits pictures.
    pub submitter: Option<ThreadId>,
    pub is_over: bool,
}

/// An initialised encoder.
pub struct Running {
    /// As last asked for; the stream follows at its next IDR.
    pub setup: Arc<Setup>,
    pub stream: Stream,
    pub order: Order<Submitted>,
    /// Pictures submitted so far.
    pub submitted: u64,
    /// What the device keeps for it: references, and pictures that wait.
    pub _memory: Reserved,
    pub force_next_idr: bool,
    pub is_flushed: bool,
}

/// Where the client keeps the streams on which pictures come and go.
pub struct IoStreams {
    input: usize,
    output: usize,
    were: (usize, usize),
}

impl IoStreams {
    /// Of the addresses of two variables that hold a stream each.
    pub fn new(input: *mut c_void, output: *mut c_void) -> Self {
        let (input, output) = (input.expose_provenance(), output.expose_provenance());
        let were = (variable(input), variable(output));
        IoStreams { input, output, were }
    }

    /// The stream before which a picture must be drawn; that the variables are still there is checked.
    pub fn input(&self, context: &Context) -> Answer<Arc<CudaStream>> {
        if (variable(self.input), variable(self.output)) != self.were {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "the variables whose addresses nvEncSetIOCudaStreams was given hold something else now",
            ));
        }
        let found =
            [self.were.0, self.were.1].map(|handle| stream::find(context, std::ptr::without_provenance_mut(handle)));
        let [Some(input), Some(_)] = found else {
            return Err(breach(
                NV_ENC_ERR_INVALID_PARAM,
                "what the variables of the streams hold is no living stream",
            ));
        };
        Ok(input)
    }
}

fn variable(address: usize) -> usize {
    // SAFETY: the client promised that a stream lies there as long as the session is used.
    unsafe { std::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

/// A picture that was submitted.
pub struct Submitted {
    pub picture: Picture,
    /// The settings of when it came.
    pub setup: Arc<Setup>,
    pub serial: u64,
    pub timestamp: u64,
    pub duration: u64,
    pub extras: Extras,
}

impl State {
    /// The initialised encoder.
    pub fn running(&mut self) -> Answer<&mut Running> {
        self.running
            .as_mut()
            .ok_or_else(|| breach(NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "before nvEncInitializeEncoder"))
    }
}

impl Session {
    /// The state, for this thread alone.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something changed, at most so long.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Opens a session on a context, if there is room for one more.
pub fn open(context: Arc<Context>) -> Answer<*mut c_void> {
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if SESSIONS.count() >= settings().sessions {
        let full = if settings().session_error == 21 {
            NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY
        } else {
            NV_ENC_ERR_OUT_OF_MEMORY
        };
        return Err(refused(full, "all sessions are taken"));
    }
    Ok(SESSIONS.insert(Session {
        context,
        state: Mutex::new(State {
            running: None,
            resources: Resources::default(),
            outputs: Outputs::default(),
            last_error: CString::default(),
            streams: None,
            submitter: None,
            is_over: false,
        }),
        changed: Condvar::new(),
    }))
}

/// Ends a session; what it answers is the last thing that is known of it.
pub fn close(encoder: *mut c_void) -> Answer<Arc<Session>> {
    SESSIONS.remove(encoder).ok_or_else(no_session)
}

/// The session of that handle.
pub fn of(encoder: *mut c_void) -> Answer<Arc<Session>> {
    SESSIONS.get(encoder).ok_or_else(no_session)
}

fn no_session() -> crate::nvenc::answer::Refusal {
    breach(
        NV_ENC_ERR_INVALID_ENCODERDEVICE,
        "no such session, or one that was destroyed",
    )
}

/// A handle that was never one before.
pub fn new_handle() -> *mut c_void {
    HANDLES.insert(())
}

/// Carries a call out on a session.
pub fn call(name: &str, encoder: *mut c_void, work: impl FnOnce(&Session, &mut State) -> Answer) -> NVENCSTATUS {
    let session = match of(encoder) {
        Ok(session) => session,
        Err(refusal) => return status_of(name, Err(refusal)),
    };
    let mut state = session.lock();
    let answer = usable(&session).and_then(|()| work(&session, &mut state));
    remember(name, &mut state, &answer);
    drop(state);
    status_of(name, answer)
}

/// After an error that kills its context a session is of no use.
pub fn usable(session: &Session) -> Answer {
    session
        .context
        .usable()
        .map_err(|code| refused(NV_ENC_ERR_DEVICE_NOT_EXIST, format!("the device is lost ({code})")))
}

/// Keeps the words of a refusal for `nvEncGetLastErrorString`.
pub fn remember(name: &str, state: &mut State, answer: &Answer) {
    if let Err(refusal) = answer {
        state.last_error = CString::new(format!("{name}: {}", refusal.text)).unwrap_or_default();
    }
}
