namespace Breakwater.Proxy.EventLoops;

/// <summary>How an answer under way came to its end.</summary>
internal enum AnswerEnd : byte
{
    /// <summary>Everything is out.</summary>
    Sent,

    /// <summary>The client left, took too long, or the proxy stops.</summary>
    ClientGone,

    /// <summary>The rest of the bytes cannot be had.</summary>
    Failed,
}
