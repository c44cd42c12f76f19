namespace Breakwater.Proxy.EventLoops;

/// <summary>Where an answer stands that goes out while its object is being fetched.</summary>
internal enum SendProgress : byte
{
    /// <summary>Everything is out.</summary>
    Done,

    /// <summary>The socket is full: go on when it has room.</summary>
    Full,

    /// <summary>Nothing more is there: go on after <see cref="GrowingSend.Change"/>.</summary>
    Starved,

    /// <summary>Enough for now: the others have their turn, then go on.</summary>
    Paused,
}
