using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Something with a descriptor that an <see cref="EventLoop"/> watches. Everything but construction runs on the loop's thread.
/// </summary>
internal abstract class LoopSource : ILoopWork
{
    /// <summary>Open as long as the source is in its loop.</summary>
    public required int Descriptor { get; init; }

    /// <summary>The loop's: descriptor and a number of its own, since descriptors are used again.</summary>
    public ulong Tag { get; set; }

    /// <summary>The kernel has something to say of the descriptor.</summary>
    public abstract void Ready(Readiness readiness);

    /// <inheritdoc/>
    public abstract void Posted();

    /// <summary>About once a second: are its timers over?</summary>
    public abstract void Sweep(long now);

    /// <inheritdoc/>
    public abstract void Fail();
}
