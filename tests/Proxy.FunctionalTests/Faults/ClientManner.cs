namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>What a client does with its request in a fault storm.</summary>
internal enum ClientManner
{
    /// <summary>Asks and reads.</summary>
    Plain,

    /// <summary>Sends its head in pieces.</summary>
    SplitsHead,

    /// <summary>Reads in small pieces with pauses.</summary>
    ReadsSlowly,

    /// <summary>Leaves when it has the head and a part of the body.</summary>
    LeavesHalfWay,

    /// <summary>Resets its connection as soon as it has asked.</summary>
    ResetsAtOnce,

    /// <summary>Sends half a head and leaves.</summary>
    LeavesInItsHead,
}
