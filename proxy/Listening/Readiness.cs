namespace Breakwater.Proxy.Listening;

/// <summary>What an epoll instance said of a descriptor (<c>EPOLLIN</c> and so on).</summary>
[Flags]
internal enum Readiness : uint
{
    None = 0,
    Input = 0x001,
    Output = 0x004,
    Error = 0x008,
    HangUp = 0x010,

    /// <summary>The peer sends no more (<c>EPOLLRDHUP</c>); it may still read.</summary>
    PeerDone = 0x2000,

    /// <summary>Told once, until it changes (<c>EPOLLET</c>).</summary>
    Edge = 1u << 31,
}
