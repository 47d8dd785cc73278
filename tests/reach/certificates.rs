//! A receiver that speaks TLS under an authority of its own and wants to see a certificate.

use crate::world::configured;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use serde_json::json;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn openssl(folder: &Path, args: &[&str]) {
    let output = Command::new("openssl")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(
        output.status.success(),
        "openssl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An authority, a server at 127.0.0.1, a client, and a client of another authority.
pub fn make(folder: &Path) {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for authority in ["ca", "other"] {
        let (out, keyout, subject) = (
            format!("{authority}.pem"),
            format!("{authority}.key"),
            format!("/CN={authority}"),
        );
        let own = [
            "req", "-x509", "-days", "2", "-subj", &subject, "-out", &out, "-keyout", &keyout,
        ];
        openssl(folder, &[&own[..], &key].concat());
    }
    std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").expect("written");
    for (name, authority) in [("server", "ca"), ("client", "ca"), ("stranger", "other")] {
        let (csr, keyout, subject) = (format!("{name}.csr"), format!("{name}.key"), format!("/CN={name}"));
        let own = ["req", "-subj", &subject, "-out", &csr, "-keyout", &keyout];
        openssl(folder, &[&own[..], &key].concat());
        let (ca, cakey, out) = (
            format!("{authority}.pem"),
            format!("{authority}.key"),
            format!("{name}.crt"),
        );
        openssl(
            folder,
            &[
                "x509",
                "-req",
                "-days",
                "2",
                "-in",
                &csr,
                "-CA",
                &ca,
                "-CAkey",
                &cakey,
                "-CAcreateserial",
                "-extfile",
                "san",
                "-out",
                &out,
            ],
        );
        let pair = [out, keyout].map(|file| std::fs::read_to_string(folder.join(file)).expect("made"));
        std::fs::write(folder.join(format!("{name}.pem")), pair.concat()).expect("written");
    }
}

/// A server at 127.0.0.1 that shows its certificate and wants none.
pub fn config(folder: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join("server.crt")).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate],
            PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key"),
        )
        .expect("a server");
    Arc::new(config)
}

/// Answers 200 to whoever shows a certificate of the authority. Returns its port.
pub fn serve(folder: &Path) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    let certificate = |file: &str| CertificateDer::from_pem_file(folder.join(file)).expect("a certificate");
    roots.add(certificate("ca.pem")).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .expect("a verifier");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate("server.crt")],
            PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key"),
        )
        .expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream);
                let mut bytes = Vec::new();
                let mut chunk = [0_u8; 4096];
                // A request of one read or two; what it says does not matter here.
                while !bytes.ends_with(b"}") {
                    match stream.read(&mut chunk) {
                        Ok(0) | Err(_) => return,
                        Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                    }
                }
                let _ = stream.write_all(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    port
}

#[test]
fn a_receiver_that_wants_a_certificate_sees_ours_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path());
    let port = serve(folder.path());
    let at = folder.path().display();
    let destination = |name: &str, client: &str, authority: &str| {
        let line = |key: &str, file: &str| match file {
            "" => String::new(),
            file => format!("{key} = \"{at}/{file}\"\n"),
        };
        format!(
            "[[destination]]\nname = \"{name}\"\nurl = \"https://127.0.0.1:{port}/\"\nprofile = \"native\"\n{}{}",
            line("tls_client_file", client),
            line("tls_ca_file", authority)
        )
    };
    let sections = [
        destination("right", "client.pem", "ca.pem"),
        destination("nothing", "", "ca.pem"),
        destination("stranger", "stranger.pem", "ca.pem"),
        destination("distrusting", "client.pem", "other.pem"),
    ];
    let mut appliance = configured(&sections.concat());
    appliance.start();
    let test = |name: &str| {
        appliance
            .post(&format!("/api/v1/destinations/{name}/test"), &json!({}))
            .json()
    };
    let right = test("right");
    assert_eq!(
        (&right["accepted"], &right["answer"]),
        (&json!(true), &json!("ok")),
        "{right}"
    );
    for name in ["nothing", "stranger", "distrusting"] {
        let said = test(name);
        assert_eq!(said["accepted"], false, "{name}: {said}");
        assert!(said["status"].is_null() && said["error"].is_string(), "{name}: {said}");
    }
    let shown = appliance.get("/api/v1/destinations/right");
    assert_eq!(shown["secrets"], json!(["tls_client"]));
    assert!(!shown.to_string().contains("PRIVATE KEY"), "{shown}");
}
