namespace Breakwater.Proxy.EventLoops;

/// <summary>Where an answer under way stands.</summary>
internal enum AnswerProgress : byte
{
    /// <summary>Everything is out.</summary>
    Done,

    /// <summary>The socket is full: go on when it has room.</summary>
    Full,

    /// <summary>There is nothing to send yet: go on after <see cref="LoopAnswer.Change"/>.</summary>
    Starved,

    /// <summary>That is enough for now: go on after the other connections had their turn.</summary>
    Paused,

    /// <summary>Nothing is out, and nothing will be: the request goes to Kestrel.</summary>
    ForKestrel,
}
