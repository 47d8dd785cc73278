//! A service behind TLS under an authority of its own.

use crate::peer::Peer;
use crate::peer::noise;
use crate::peer::rule;
use reelmill::objects::s3::Bucket;
use reelmill::objects::s3::BucketOptions;
use reelmill::objects::s3::Put;
use reelmill::objects::s3::Replace;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use url::Url;

fn openssl(folder: &Path, args: &str) {
    let output = Command::new("openssl")
        .args(args.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(
        output.status.success(),
        "openssl {args}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An authority and a server at 127.0.0.1.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        folder,
        &format!("req -x509 -days 2 -subj /CN=ca -out ca.pem -keyout ca.key {key}"),
    );
    openssl(
        folder,
        &format!("req -subj /CN=server -out server.csr -keyout server.key {key}"),
    );
    std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").expect("written");
    openssl(
        folder,
        "x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out server.crt",
    );
}

/// Takes TLS off in front of `upstream`, a request a connection; writes down the heads. Returns its port.
fn unwrap_tls(folder: &Path, upstream: u16, heads: Arc<Mutex<Vec<String>>>) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(folder.join("server.crt")).expect("a certificate")],
            PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key"),
        )
        .expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, heads) = (Arc::clone(&config), Arc::clone(&heads));
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a connection");
                let _ = one_request(StreamOwned::new(connection, stream), upstream, &heads);
            });
        }
    });
    port
}

/// Reads one whole message; answers its head.
fn message(from: &mut impl Read, bytes: &mut Vec<u8>) -> std::io::Result<String> {
    let mut piece = [0_u8; 65_536];
    let mut more = |bytes: &mut Vec<u8>| -> std::io::Result<()> {
        match from.read(&mut piece)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes.extend_from_slice(&piece[..read]);
                Ok(())
            }
        }
    };
    let at = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        more(bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    while bytes.len() < at + 4 + length.unwrap_or(0) {
        more(bytes)?;
    }
    Ok(head)
}

fn one_request(
    mut client: StreamOwned<ServerConnection, TcpStream>,
    upstream: u16,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let head = message(&mut client, &mut bytes)?;
    let close = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let body = bytes.split_off(head.len() + 4);
    heads.lock().expect("not poisoned").push(head);
    let mut server = TcpStream::connect(("127.0.0.1", upstream))?;
    server.write_all(format!("{close}\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    // Nobody promises to close the connection because he was asked to.
    message(&mut server, &mut answer)?;
    client.write_all(&answer)?;
    client.conn.send_close_notify();
    client.flush()
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_named() {
    let peer = Peer::start();
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let port = unwrap_tls(folder.path(), peer.proxy.port(), Arc::clone(&heads));
    let over_tls = |tls_ca_pem| {
        let endpoint = Url::parse(&format!("https://127.0.0.1:{port}")).expect("a URL");
        Bucket::new(BucketOptions {
            endpoint,
            tls_ca_pem,
            ..peer.options()
        })
        .expect("a bucket")
    };
    let stranger = over_tls(None);
    let fault = stranger.reach().await.expect_err("an unknown authority");
    assert_eq!(fault.code, "CertificateRefused", "{fault}");
    assert!(fault.remedy.contains("tls_ca_file") && !fault.retryable);
    let authority = std::fs::read(folder.path().join("ca.pem")).expect("the authority");
    let bucket = over_tls(Some(authority));
    let (key, bytes) = (peer.key("over tls"), noise(200_000));
    let put = bucket
        .put(&key, bytes.clone(), &rule(Replace::Always))
        .await
        .expect("written");
    assert!(matches!(put, Put::Done(_)));
    assert_eq!(bucket.read(&key, "", 0..200_000).await.expect("read"), bytes);
    let heads = heads.lock().expect("not poisoned");
    // Over TLS a body need not be hashed twice; without it, it has to be.
    assert!(
        heads
            .iter()
            .any(|head| head.starts_with("PUT") && head.contains("UNSIGNED-PAYLOAD"))
    );
    assert!(
        !heads
            .iter()
            .any(|head| head.starts_with("GET") && head.contains("UNSIGNED-PAYLOAD"))
    );
}
