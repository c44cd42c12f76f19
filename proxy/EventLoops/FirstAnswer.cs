namespace Breakwater.Proxy.EventLoops;

/// <summary>What the first responder did with a request.</summary>
internal enum FirstAnswer : byte
{
    /// <summary>Nothing. The request goes to Kestrel, untouched.</summary>
    ForKestrel,

    /// <summary>It is answered; the kernel has every byte.</summary>
    Sent,

    /// <summary>The answer is under way: the connection goes on with the <see cref="LoopAnswer"/> that it was given.</summary>
    Answering,
}
