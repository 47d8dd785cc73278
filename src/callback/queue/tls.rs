//! TLS towards a queue's server.
//!
//! Guarantees: certificates are always checked, against the system's authorities and those of the options, and for
//! the host that the URL names, even where a library is given an address to connect to. Deliberately absent:
//! connections.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::base::trust;
use crate::callback::queue::QueueOptions;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

/// What a TLS connection to one server needs.
///
/// # Errors
/// A request fault for certificates or a key that cannot be read, or a host that cannot stand in a certificate.
pub(super) fn client_config(host: &str, options: &QueueOptions) -> Result<ClientConfig, Fault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| unusable(host, error.to_string(), "Use the server's name or address."))?;
    let identity = options.tls_identity_pem.as_deref();
    trust::client_for(name, options.tls_ca_pem.as_slice(), identity)
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
