//! Redis streams: each event is an entry, written by XADD.
//!
//! Guarantees: an event counts as sent when the server has answered with the entry's id. An entry has the fields
//! `event_id`, `event_type`, `time` (milliseconds), `body`, then every header under its own name. Deliberately
//! absent: consumer groups, which are the readers'; whether the server writes to disk before it answers, which is its
//! `appendfsync`.

use crate::base::fault::Fault;
use crate::callback::queue::QueueOptions;
use crate::callback::queue::dial::dial;
use crate::callback::queue::link::Link;
use crate::callback::queue::link::Protocol;
use crate::callback::queue::link::Trouble;
use crate::callback::queue::server::Scheme;
use crate::callback::queue::server::Server;
use crate::callback::queue::server::refused;
use crate::callback::queue::tls::client_config;
use crate::callback::transport::Message;
use crate::callback::transport::Transport;
use redis::AsyncConnectionConfig;
use redis::RedisConnectionInfo;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::task::JoinHandle;

const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "redis",
        tls: false,
        port: 6379,
    },
    Scheme {
        name: "rediss",
        tls: true,
        port: 6379,
    },
];

/// A destination that is a Redis stream: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://` with TLS.
///
/// # Errors
/// A request fault of the address, the database, the stream's key or the certificates.
pub fn redis(url: &str, options: &QueueOptions) -> Result<Box<dyn Transport>, Fault> {
    let server = Server::read(url, &SCHEMES, options)?;
    if options.stream.is_empty() {
        return Err(refused(
            &server.shown,
            "it has no stream",
            "Set stream = \"KEY\": the key of the stream that events are added to.",
        ));
    }
    let database = match server.path.as_str() {
        "" => 0,
        digits => digits.parse().ok().filter(|number| *number >= 0).ok_or_else(|| {
            refused(
                &server.shown,
                "its path is not the number of a database",
                "Write it as redis://HOST/0, or leave the path out.",
            )
        })?,
    };
    let tls = match server.tls {
        true => Some(Arc::new(client_config(&server.host, options)?)),
        false => None,
    };
    Ok(Box::new(Link::new(Redis {
        server,
        tls,
        database,
        stream: options.stream.clone(),
        max_entries: options.max_entries,
    })))
}

struct Redis {
    server: Server,
    tls: Option<Arc<ClientConfig>>,
    database: i64,
    stream: String,
    max_entries: Option<u64>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("server", &self.server)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// A connection, and the task that moves its bytes.
struct Session {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Redis {
    /// What an error of the server or of the connection means.
    fn trouble(&self, error: &RedisError) -> Trouble {
        let gone = error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error();
        if gone {
            self.server.lost(error)
        } else {
            self.server.refused(error)
        }
    }
}

impl Protocol for Redis {
    type Session = Session;

    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(&self) -> Result<Session, Trouble> {
        let wire = dial(&self.server, self.tls.as_ref()).await?;
        let mut who = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.server.user {
            who = who.set_username(user);
        }
        if let Some(password) = &self.server.password {
            who = who.set_password(password);
        }
        // The link's time limit is the only one.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let (connection, driver) = MultiplexedConnection::new_with_config(&who, wire, config)
            .await
            .map_err(|error| self.server.lost(error))?;
        Ok(Session {
            connection,
            driver: tokio::spawn(driver),
        })
    }

    fn alive(&self, session: &Session) -> bool {
        !session.driver.is_finished()
    }

    async fn hand_over(&self, session: &Session, message: &Message) -> Result<String, Trouble> {
        let mut command = redis::cmd("XADD");
        command.arg(&self.stream);
        if let Some(max_entries) = self.max_entries {
            command.arg("MAXLEN").arg("~").arg(max_entries);
        }
        command
            .arg("*")
            .arg("event_id")
            .arg(&message.event_id)
            .arg("event_type")
            .arg(&message.event_type)
            .arg("time")
            .arg(message.at.0)
            .arg("body")
            .arg(&message.body);
        for (name, value) in &message.headers {
            command.arg(name).arg(value);
        }
        let mut connection = session.connection.clone();
        let entry: String = command
            .query_async(&mut connection)
            .await
            .map_err(|error| self.trouble(&error))?;
        Ok(format!("entry {entry} of stream {}", self.stream))
    }

    async fn part(&self, session: &Session) {
        session.driver.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::redis;
    use crate::callback::queue::QueueOptions;

    #[test]
    fn what_is_missing_is_asked_for_and_secrets_stay_inside() {
        let mut options = QueueOptions::default();
        let fault = redis("redis://:secret@10.0.0.1", &options).expect_err("refused");
        assert!(fault.to_string().contains("stream = "), "{fault}");
        options.stream = "events".to_owned();
        let fault = redis("redis://:secret@10.0.0.1/mam", &options).expect_err("refused");
        assert!(fault.to_string().contains("number of a database"), "{fault}");
        let transport = redis("redis://:secret@10.0.0.1/2", &options).expect("valid");
        assert!(!format!("{transport:?}").contains("secret"), "{transport:?}");
    }
}
