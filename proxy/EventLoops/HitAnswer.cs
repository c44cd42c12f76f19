namespace Breakwater.Proxy.EventLoops;

/// <summary>What became of a request that the hit path looked at.</summary>
internal enum HitAnswer : byte
{
    /// <summary>Not a hit, or not one for this path: Kestrel's.</summary>
    None,

    /// <summary>Answered; the kernel has every byte.</summary>
    Sent,

    /// <summary>The head and a part of the body are out, or less: the rest is in <see cref="PendingSend"/>.</summary>
    Pending,
}
