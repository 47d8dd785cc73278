//! HTTPS by a certificate and a key in files.
//!
//! Guarantees: a handshake that stalls holds up no other; files that were replaced are taken over within seconds, and
//! ones that cannot be used leave those before in force; nothing older than TLS 1.2. Deliberately absent: certificates
//! of callers, and getting certificates from anybody.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// Handshakes at once.
const HANDSHAKES: usize = 256;
/// Time a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Wait after the host could not accept a connection, as when it is out of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Where the certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM of the certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// PEM of its key.
    pub key: PathBuf,
}

/// The certificate that is shown now. Clones share it.
#[derive(Debug, Clone)]
pub struct Tls {
    files: TlsFiles,
    shown: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// `CertificateUnusable`: one is missing, is none, or they do not belong together.
    pub fn read(files: TlsFiles) -> Result<Self, Fault> {
        let shown = Arc::new(RwLock::new(Arc::new(configured(&files)?)));
        Ok(Tls { files, shown })
    }

    /// Takes over the files whenever they change, until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut seen = stamps(&self.files).await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = stamps(&self.files).await;
            if now == seen {
                continue;
            }
            seen = now;
            let files = self.files.clone();
            let read = tokio::task::spawn_blocking(move || configured(&files)).await;
            match read {
                Ok(Ok(config)) => {
                    *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                    tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read again");
                }
                // One of the two may still be on its way: they are looked at again when it has come.
                Ok(Err(fault)) => tracing::warn!(%fault, "the certificate stays the one before"),
                Err(error) => tracing::error!(%error, "reading the certificate panicked"),
            }
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn configured(files: &TlsFiles) -> Result<ServerConfig, Fault> {
    let unusable = |file: &PathBuf, cause: String| {
        Fault::new(
            "CertificateUnusable",
            Blame::Request,
            "read",
            file.display().to_string(),
            cause,
            "Set server.tls_cert and server.tls_key to PEM files that belong together and that this user may read.",
        )
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(&files.certificate, "it holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable(&files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(&files.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What tells one content of the files from another, without reading them.
async fn stamps(files: &TlsFiles) -> Vec<Option<(u64, SystemTime)>> {
    let mut stamps = Vec::with_capacity(2);
    for file in [&files.certificate, &files.key] {
        let metadata = tokio::fs::metadata(file).await.ok();
        stamps.push(metadata.and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?))));
    }
    stamps
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Peer(*stream.remote_addr())
    }
}

/// Tells handlers who is at the other end in the form they know from plain connections.
pub async fn name_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(Peer(peer))) = request.extensions().get::<ConnectInfo<Peer>>().copied() {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    request
}

/// Connections whose handshake is done.
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Those that come to `listener`; accepting ends when this is dropped.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn new(listener: TcpListener, tls: Tls) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, ready) = mpsc::channel(64);
        tokio::spawn(accept(listener, tls, tell));
        Ok(TlsListener { ready, address })
    }
}

async fn accept(listener: TcpListener, tls: Tls, tell: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    let turns = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = tell.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let (acceptor, tell) = (tls.acceptor(), tell.clone());
        tokio::spawn(async move {
            let _turn = turn;
            match tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
                // Nobody takes it when the server stops.
                Ok(Ok(stream)) => drop(tell.send((stream, peer)).await),
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The task that accepts ends only after this.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
