//! Whether the daemon does its work: what the service manager's watchdog is told, and when it is told nothing.
//!
//! Guarantees: it is told that all is well only when the scheduler's loop has turned lately, the database's writer has
//! come to what was queued, and a request over the network was answered, all within the same look; a part that is silent
//! is named in the log once. While the program stops nothing of this is asked, because its parts end one by one; the
//! manager has another limit for that. Deliberately absent: healing; the manager starts the program anew.

use crate::base::pulse::Pulse;
use crate::store::Store;
use sd_notify::NotifyState;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// What is asked over the network. It needs no token and touches nothing.
const REQUEST: &[u8] = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// What has to answer.
#[derive(Debug, Clone)]
pub struct Liveness {
    /// Beats with the scheduler's loop.
    pub scheduler: Pulse,
    /// Longest time between two of its turns while all is well.
    pub scheduler_pause: Duration,
    /// Its writer is knocked at.
    pub store: Store,
    /// Where requests are answered.
    pub web: SocketAddr,
    /// It answers over TLS only.
    pub has_tls: bool,
}

/// A part that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silent {
    /// The loop does not turn.
    #[error("the scheduler's loop")]
    Scheduler,
    /// The writer does not come to what is queued.
    #[error("the writer of the database")]
    Writer,
    /// Requests are not answered.
    #[error("the web server")]
    Web,
}

impl Liveness {
    /// Tells the service manager as often as it wants to hear it, until the task is dropped; returns at once where nobody
    /// wants to. `stopping`: the program ends.
    pub async fn report(self, stopping: CancellationToken) {
        let Some(limit) = sd_notify::watchdog_enabled() else {
            return;
        };
        let pause = limit / 4;
        let mut was_well = true;
        loop {
            let well = stopping.is_cancelled() || self.is_well(pause, &mut was_well).await;
            if well {
                super::notify(&[NotifyState::Watchdog]);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn is_well(&self, within: Duration, was_well: &mut bool) -> bool {
        let looked = self.look(within).await;
        match looked {
            Ok(()) if !*was_well => tracing::warn!("everything answers again"),
            Ok(()) => {}
            Err(silent) if *was_well => tracing::error!(
                %silent,
                "a part of the daemon does not answer; the service manager is told nothing until it does"
            ),
            Err(_) => {}
        }
        *was_well = looked.is_ok();
        *was_well
    }

    /// One look; every part gets so much time to answer.
    ///
    /// # Errors
    /// The first part that does not answer.
    pub async fn look(&self, within: Duration) -> Result<(), Silent> {
        let silence = self.scheduler.silence().unwrap_or_default();
        if silence > self.scheduler_pause + within {
            return Err(Silent::Scheduler);
        }
        let (writer, web) = tokio::join!(
            tokio::time::timeout(within, self.store.knock()),
            tokio::time::timeout(within, self.ask())
        );
        if !matches!(writer, Ok(Ok(()))) {
            return Err(Silent::Writer);
        }
        if !matches!(web, Ok(Ok(true))) {
            return Err(Silent::Web);
        }
        Ok(())
    }

    /// A request as anybody would make it. Over TLS it stays half of one: that the server answers plain words at all, by
    /// an alert or by closing, is an answer of its.
    async fn ask(&self) -> std::io::Result<bool> {
        let mut connection = TcpStream::connect(reachable(self.web)).await?;
        connection.write_all(REQUEST).await?;
        let mut answer = [0; 12];
        let read = connection.read(&mut answer).await;
        if self.has_tls {
            return Ok(true);
        }
        Ok(answer.get(..read?) == Some(b"HTTP/1.0 200".as_slice()))
    }
}

/// The address at which this host reaches what listens at `listen`.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::Liveness;
    use super::Silent;
    use super::reachable;
    use crate::base::pulse::Pulse;
    use crate::store::Store;
    use crate::store::error::StoreError;
    use std::time::Duration;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_millis(200);
    const PATIENT: Duration = Duration::from_secs(20);

    async fn alive(folder: &tempfile::TempDir, answer: &'static [u8]) -> Liveness {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let web = listener.local_addr().expect("it has one");
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                connection.write_all(answer).await.expect("it listens");
                open.push(connection);
            }
        });
        Liveness {
            scheduler: Pulse::default(),
            scheduler_pause: Duration::from_secs(60),
            store: Store::open(&folder.path().join("reelmill.db")).expect("a database"),
            web,
            has_tls: false,
        }
    }

    #[tokio::test]
    async fn all_is_well_when_every_part_answers() {
        let folder = tempfile::tempdir().expect("a folder");
        let liveness = alive(&folder, b"HTTP/1.0 200 OK\r\n\r\nok\n").await;
        assert_eq!(liveness.look(PATIENT).await, Ok(()), "the scheduler has not begun yet");
        liveness.scheduler.beat();
        assert_eq!(liveness.look(PATIENT).await, Ok(()));
    }

    #[tokio::test]
    async fn a_loop_that_does_not_turn_any_more_is_no_sign_of_life() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut liveness = alive(&folder, b"HTTP/1.0 200 OK\r\n\r\nok\n").await;
        liveness.scheduler_pause = Duration::ZERO;
        liveness.scheduler.beat();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(liveness.look(Duration::from_millis(1)).await, Err(Silent::Scheduler));
    }

    #[tokio::test]
    async fn a_writer_that_is_stuck_is_no_sign_of_life() {
        let folder = tempfile::tempdir().expect("a folder");
        let liveness = alive(&folder, b"HTTP/1.0 200 OK\r\n\r\nok\n").await;
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let (tell, began) = tokio::sync::oneshot::channel();
        let store = liveness.store.clone();
        let busy = tokio::spawn(async move {
            store
                .write("hold", move |_| {
                    let _ = tell.send(());
                    held.recv().map_err(|_| StoreError::Closed { operation: "hold" })
                })
                .await
        });
        began.await.expect("the writer holds");
        assert_eq!(liveness.look(SOON).await, Err(Silent::Writer));
        let_go.send(()).expect("it waits");
        busy.await.expect("no panic").expect("written");
        assert_eq!(liveness.look(PATIENT).await, Ok(()));
    }

    #[tokio::test]
    async fn a_server_that_accepts_and_says_nothing_or_the_wrong_thing_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let mute = alive(&folder, b"").await;
        assert_eq!(mute.look(SOON).await, Err(Silent::Web));
        drop(mute);
        let other = tempfile::tempdir().expect("a folder");
        let ill = alive(&other, b"HTTP/1.0 503 Service Unavailable\r\n\r\n").await;
        assert_eq!(ill.look(PATIENT).await, Err(Silent::Web));
    }

    #[test]
    fn what_listens_everywhere_is_asked_at_home() {
        let reached = |listen: &str| reachable(listen.parse().expect("an address")).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("[::]:8080"), "[::1]:8080");
        assert_eq!(reached("192.0.2.7:80"), "192.0.2.7:80");
    }
}
