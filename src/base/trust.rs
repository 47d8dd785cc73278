//! Whom a connection over TLS trusts: the system's authorities, and the certificates a person named.
//!
//! Guarantees: a certificate that was named is trusted as an authority, and also as the server itself, which is what a
//! certificate that signs itself (`openssl req -x509`) has to be; its name and its time are checked all the same.
//! Deliberately absent: a switch that trusts anybody.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use rustls::CertificateError;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::Error;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::OnceLock;

/// How a client speaks TLS: with the system's authorities and those of `named_pem` (PEM files of certificates), showing
/// the certificate and key of `identity_pem` where one is given.
///
/// # Errors
/// A request fault for a file that holds no certificates or no key.
pub fn client(named_pem: &[impl AsRef<[u8]>], identity_pem: Option<&[u8]>) -> Result<ClientConfig, Fault> {
    configured(None, named_pem, identity_pem)
}

/// As [`client`], for one server that is called `name`, whatever a library was told to connect to: addresses are
/// resolved and judged by us, and a library that gets an address would look for that in the certificate.
///
/// # Errors
/// As of [`client`].
pub fn client_for(
    name: ServerName<'static>,
    named_pem: &[impl AsRef<[u8]>],
    identity_pem: Option<&[u8]>,
) -> Result<ClientConfig, Fault> {
    configured(Some(name), named_pem, identity_pem)
}

fn configured(
    name: Option<ServerName<'static>>,
    named_pem: &[impl AsRef<[u8]>],
    identity_pem: Option<&[u8]>,
) -> Result<ClientConfig, Fault> {
    // Libraries that make their own connections take the process's; installing it twice is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut named = Vec::new();
    for pem in named_pem {
        named.extend(certificates(pem.as_ref(), "certificate authorities")?);
    }
    let verifier = Verifier::new(name, named, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable("protocol versions", &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(pem) = identity_pem else {
        return Ok(builder.with_no_client_auth());
    };
    let what = "client certificate";
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| unreadable(what, &error))?;
    builder
        .with_client_auth_cert(certificates(pem, what)?, key)
        .map_err(|error| unreadable(what, &error))
}

/// The certificates of a PEM text, at least one.
fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| unreadable(what, &error))?;
    if found.is_empty() {
        return Err(unreadable(what, &"there is no certificate in it"));
    }
    Ok(found)
}

fn unreadable(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        "CertificateUnreadable",
        Blame::Request,
        "read",
        what,
        error.to_string(),
        "Give PEM files: certificates, and for a client certificate its key in the same file.",
    )
}

/// The system's authorities, read once in the life of the process, when the first server has to be judged: a command
/// that speaks plain HTTP never reads them.
static SYSTEM: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| rustls_native_certs::load_native_certs().certs);

/// Believes the system's authorities and the certificates that were named.
#[derive(Debug)]
struct Verifier {
    /// The server's name; none: what the connection was made to.
    name: Option<ServerName<'static>>,
    named: Vec<CertificateDer<'static>>,
    /// Those that were named, as authorities.
    roots: RootCertStore,
    /// Made when the first server shows its certificate; none: there is not one authority, neither of the system nor
    /// named.
    authorities: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        name: Option<ServerName<'static>>,
        named: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        for certificate in &named {
            roots
                .add(certificate.clone())
                .map_err(|error| unreadable("certificate authorities", &error))?;
        }
        Ok(Verifier {
            name,
            named,
            roots,
            authorities: OnceLock::new(),
            provider: provider.clone(),
        })
    }

    fn authorities(&self) -> Option<&WebPkiServerVerifier> {
        let made = self.authorities.get_or_init(|| {
            let mut roots = self.roots.clone();
            // A system may hold certificates nobody can read; those of others count all the same.
            roots.add_parsable_certificates(SYSTEM.iter().cloned());
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                .build()
                .ok()
        });
        made.as_deref()
    }
}

/// Is it refused for nothing but being an authority itself? Time is judged before that.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(
        other.0.downcast_ref::<webpki::Error>(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = self.authorities() else {
            return Err(Error::General(
                "this host trusts no certificate authority; install the package ca-certificates".to_owned(),
            ));
        };
        let server_name = self.name.as_ref().unwrap_or(server_name);
        let judged = authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match judged {
            Err(error) if is_authority(&error) && self.named.iter().any(|named| named == end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
