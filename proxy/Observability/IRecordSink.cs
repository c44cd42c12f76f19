using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Observability;

/// <summary>
/// Reads what the <see cref="RequestRecorder"/> keeps. Register it as <c>IRecordSink</c>; called by one thread at a time.
/// </summary>
internal interface IRecordSink
{
    /// <summary>
    /// Does it read the texts of clients: URL, <c>User-Agent</c>, <c>cvmfs-info</c>? If nobody does, the event loops do not keep them.
    /// </summary>
    bool ReadsTexts => false;

    /// <summary>Takes the requests that ended since the last call; perhaps none.</summary>
    /// <param name="records">In the order of their ends; valid during the call.</param>
    /// <param name="clock">Turns their timestamps into times.</param>
    void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock);
}
