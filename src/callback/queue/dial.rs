//! Connections to a queue's server: to the addresses that were judged, with TLS where the URL asks for it.
//!
//! Guarantees: connects to no address but those of [`Server::resolve`]; says which server and why it failed.
//! Deliberately absent: time limits, which the link sets for everything at once.

use crate::callback::queue::link::Trouble;
use crate::callback::queue::server::Server;
use rumqttc::tokio_rustls::TlsConnector;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

/// A stream to a server, plain or TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Wire for T {}

/// Connects to the first address that answers.
pub(super) async fn dial(server: &Server, tls: Option<&Arc<ClientConfig>>) -> Result<Box<dyn Wire>, Trouble> {
    let stream = connect(server).await?;
    let Some(config) = tls else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(server.host.clone()).map_err(|error| server.lost(error))?;
    match TlsConnector::from(Arc::clone(config)).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(server.lost(format!("TLS failed: {error}"))),
    }
}

async fn connect(server: &Server) -> Result<TcpStream, Trouble> {
    let mut last = server.lost("the name has no address");
    for address in server.resolve().await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Messages are small and each is waited for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = server.lost(format!("cannot connect to {address}: {error}")),
        }
    }
    Err(last)
}
