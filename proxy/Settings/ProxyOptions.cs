using System.Net;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Proxy</c>: where it listens and how long it waits.</summary>
internal sealed class ProxyOptions
{
    private const string DefaultListen = "[::]:3128";

    /// <summary>
    /// Addresses with ports. Default <c>[::]:3128</c>: all interfaces, IPv4 and IPv6, on the port that squid's clients already use.
    /// </summary>
    public string[] Listen { get; set; } = [];

    /// <summary>
    /// Addresses with ports where clients are served over TLS (HTTP/1.1), beside <see cref="Listen"/>; hits take the ordinary way there.
    /// Default none. Needs <see cref="TlsCertificate"/>.
    /// </summary>
    public string[] TlsListen { get; set; } = [];

    /// <summary>
    /// PEM file with the certificate of <see cref="TlsListen"/>, then those that vouch for it. Read again when it changes. Default none.
    /// </summary>
    public string? TlsCertificate { get; set; }

    /// <summary>PEM file with its private key, without a password. Default: it stands in the certificate's file.</summary>
    public string? TlsKey { get; set; }

    /// <summary>
    /// Networks in CIDR form of balancers whose connections begin with a header of the PROXY protocol, version 1 or 2: the client that it
    /// names counts for access, limits, log and boots. From there one without it is refused, from anywhere else one with it. Default none.
    /// Reloaded while it runs.
    /// </summary>
    [Reloaded]
    public string[] ProxyProtocol { get; set; } = [];

    /// <summary>
    /// Networks in CIDR form of balancers whose <c>X-Forwarded-For</c> is believed, in requests in origin-form: its last address that is
    /// none of them is the client. Default none: then it says nothing. Reloaded while it runs.
    /// </summary>
    [Reloaded]
    public string[] ForwardedFor { get; set; } = [];

    /// <summary>The name in <c>Via</c>, <c>Cache-Status</c> and <c>Proxy-Status</c>.</summary>
    public string Name { get; set; } = "breakwater";

    /// <summary>
    /// Longest wait for the look-up of a name, which does not count as connecting. Default 10 s: a resolver whose first nameserver is dead
    /// takes 5 s or more. The look-up goes on when whoever waits has left, and its answer is remembered.
    /// </summary>
    [Between("00:00:00.050", "00:01:00")]
    public TimeSpan LookupTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time for a TCP connection to a Stratum 1. Default 1 s: a client gives up at 5 s, so there must be time for others.
    /// </summary>
    [Between("00:00:00.050", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time without a byte from a Stratum 1 before the next is tried. Default 1.5 s.</summary>
    [Between("00:00:00.050", "00:01:00")]
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// Time until a client has an answer, if only 504. Default 3.75 s: a Micro-CernVM that waits 5 s leaves the proxy for a day.
    /// </summary>
    [Between("00:00:00.100", "00:01:00")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(3.75);

    /// <summary>How long a started fetch waits for a Stratum 1 that sends nothing, when no other is left. Default 10 s.</summary>
    [Between("00:00:00.100", "00:10:00")]
    public TimeSpan FetchPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>No upstream at all: what is not held is a 404 at once. Default false. For labs that live from seed bundles.</summary>
    public bool Offline { get; set; }

    /// <summary>
    /// Objects fetched from upstream at a time, by all nodes of a site together; more wait in line, catalogs first. Default 128.
    /// </summary>
    [Between(1, 4096, "fetches")]
    public int MaxConcurrentFetches { get; set; } = 128;

    /// <summary>
    /// Memory for bodies that the store does not take: disk full, read-only, broken, or the object too long. Default 512 MiB. Each fetch
    /// has 1 MiB beyond it, so that it goes on.
    /// </summary>
    [Between(1L << 20, 1L << 40, "bytes")]
    public long MaxUnstoredBytes { get; set; } = 512L << 20;

    /// <summary>
    /// TCP congestion control of clients' connections, by its kernel name. Default <c>cubic</c>; empty: the system's. Clients are near:
    /// BBR, where it is the system's choice for its long ways, paces each of them by timers, which costs a third of the processor time of a
    /// hit of 256 KiB (docs/develop/adr).
    /// </summary>
    public string CongestionControl { get; set; } = "cubic";

    /// <summary>Client connections at a time. Default 50,000; each idle one costs a few KB and a descriptor.</summary>
    [Between(1, 1_000_000, "connections")]
    public int MaxConnections { get; set; } = 50_000;

    /// <summary>
    /// Answer hits below Kestrel's HTTP. Default true; false sends every request the ordinary way, to compare or to find a fault.
    /// </summary>
    public bool RawPath { get; set; } = true;

    /// <summary>
    /// Time for a client to send the head of a request. Default 10 s; whoever drips its head holds a connection no longer.
    /// </summary>
    [Between("00:00:01", "00:05:00")]
    public TimeSpan RequestHeadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A client that takes next to nothing (below 240 B/s) of its answer for this long is cut. Default 30 s.
    /// </summary>
    [Between("00:00:05", "00:10:00")]
    public TimeSpan ClientTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a process that is told to stop still answers, each answer with <c>Connection: close</c>, before it closes idle connections.
    /// Default 1 s: a client in the middle of a boot asks far more often.
    /// </summary>
    [Between("00:00:00", "00:01:00")]
    public TimeSpan Farewell { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a drain waits for responses under way. Default 10 s.</summary>
    [Between("00:00:00", "00:10:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The parsed <see cref="TlsListen"/>.</summary>
    public IEnumerable<IPEndPoint> TlsListenEndPoints() => TlsListen.Select(IPEndPoint.Parse);

    /// <summary>The addresses in force.</summary>
    public string[] EffectiveListen => Listen.Length == 0 ? [DefaultListen] : Listen;

    /// <summary>The parsed <see cref="EffectiveListen"/>.</summary>
    public IEnumerable<IPEndPoint> ListenEndPoints() => EffectiveListen.Select(IPEndPoint.Parse);
}
