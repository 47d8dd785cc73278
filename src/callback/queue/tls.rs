//! TLS towards a queue's server.
//!
//! Guarantees: certificates are always checked, against the system's authorities and those of the options, and for
//! the host that the URL names, even where a library is given an address to connect to. Deliberately absent:
//! connections.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

/// What a TLS connection to one server needs.
///
/// # Errors
/// A request fault for certificates or a key that cannot be read, or a host that cannot stand in a certificate.
pub(super) fn client_config(host: &str, options: &QueueOptions) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| unusable(host, error.to_string(), "Use the server's name or address."))?;
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(options)?), Arc::clone(&provider))
        .build()
        .map_err(|error| {
            unusable(
                "certificate authorities",
                error.to_string(),
                "Install the package ca-certificates, or name a file of authorities.",
            )
        })?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(host, error.to_string(), "Report this as a bug."))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedName { name, inner }));
    let Some(pem) = &options.tls_identity_pem else {
        return Ok(builder.with_no_client_auth());
    };
    let unreadable = |error: String| {
        unusable(
            "client certificate",
            error,
            "Give a PEM file with the certificate and its key.",
        )
    };
    let chain = certificates(pem).map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| unreadable(error.to_string()))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| unreadable(error.to_string()))
}

fn roots(options: &QueueOptions) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a certificate authority of the system cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(pem) = &options.tls_ca_pem {
        let unreadable = |error: String| {
            unusable(
                "certificate authorities",
                error,
                "Give a PEM file with the certificates of the authorities.",
            )
        };
        for certificate in certificates(pem).map_err(unreadable)? {
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificates.push(certificate.map_err(|error| error.to_string())?);
    }
    if certificates.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(certificates)
}

fn unusable(subject: &str, cause: String, remedy: &str) -> Fault {
    Fault::new(
        "CertificateUnreadable",
        Blame::Request,
        "set up TLS to the queue",
        subject,
        cause,
        remedy,
    )
}

/// Checks a certificate for the name in the URL, whatever a library was told to connect to: addresses are resolved and
/// judged by us, and a library that gets an address would look for that in the certificate.
#[derive(Debug)]
struct PinnedName {
    name: ServerName<'static>,
    inner: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for PinnedName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _connected_to: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
