use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::limits::Limits;
use crate::testing::on_a_runtime;

fn sinks() -> (LogSinks, Arc<ThreadCounters>) {
    let counters = Arc::new(ThreadCounters::default());
    let upstreams = Rc::new(Upstreams::new(&Limits::default(), Arc::clone(&counters), &[], None));
    (LogSinks::new(upstreams, Arc::clone(&counters)), counters)
}

fn line(host: &str, port: u16, transport: SyslogTransport, text: &str) -> LogLine {
    let to = Arc::new(LogDestination::Syslog { host: host.into(), port, transport });
    LogLine { to, text: Bytes::copy_from_slice(text.as_bytes()) }
}

#[test]
fn a_datagram_carries_one_line() {
    on_a_runtime(async {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let (sinks, counters) = sinks();
        for text in ["<14>one", "<14>two"] {
            assert!(sinks.write(line("127.0.0.1", port, SyslogTransport::Udp, text)));
        }
        let mut got = [0; 100];
        for text in ["<14>one", "<14>two"] {
            let length = server.recv(&mut got).await.unwrap();
            assert_eq!(&got[..length], text.as_bytes());
        }
        assert_eq!(counters.read().lost_log_lines, 0);
    });
}

#[test]
fn a_stream_carries_lines_and_is_opened_anew_when_the_server_closed_it() {
    on_a_runtime(async {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let (sinks, _) = sinks();
        let mut seen = Vec::new();
        for round in 0..2 {
            sinks.write(line("127.0.0.1", port, SyslogTransport::Tcp, &format!("{round} a")));
            let (stream, _) = server.accept().await.unwrap();
            sinks.write(line("127.0.0.1", port, SyslogTransport::Tcp, &format!("{round} b")));
            let mut lines = BufReader::new(stream).lines();
            seen.push(lines.next_line().await.unwrap().unwrap());
            seen.push(lines.next_line().await.unwrap().unwrap());
            // Closed with a reset, so that the next write fails.
            let stream = lines.into_inner().into_inner();
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            drop(stream);
            while tokio::net::TcpStream::connect(("127.0.0.1", 1)).await.is_ok() {}
        }
        assert_eq!(seen, ["0 a", "0 b", "1 a", "1 b"]);
    });
}

#[test]
fn nobody_waits_for_a_log_and_what_is_lost_is_counted() {
    on_a_runtime(async {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let (sinks, counters) = sinks();
        // Nothing is carried before this thread waits for something.
        let taken = (0..QUEUED + 44)
            .filter(|_| sinks.write(line("127.0.0.1", port, SyslogTransport::Udp, "x")))
            .count();
        assert_eq!((taken, counters.read().lost_log_lines), (QUEUED, 44));
    });
}

#[test]
fn a_server_that_is_away_or_forbidden_costs_lines_only() {
    on_a_runtime(async {
        for (host, transport) in [
            ("169.254.169.254", SyslogTransport::Udp),
            ("169.254.169.254", SyslogTransport::Tcp),
            ("127.0.0.1", SyslogTransport::Tcp),
        ] {
            let (sinks, counters) = sinks();
            // Port 1 of this machine refuses.
            assert!(sinks.write(line(host, 1, transport, "x")));
            while counters.read().lost_log_lines == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
}
