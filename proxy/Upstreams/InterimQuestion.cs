namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// One question to an origin: by it a connection sees that another answer begins. It flows with the sending of the request.
/// </summary>
/// <param name="receiver">Who gets interim answers; null: nobody.</param>
internal sealed class InterimQuestion(InterimReceiver? receiver)
{
    private static readonly AsyncLocal<InterimQuestion?> s_current = new();

    /// <summary>Who gets interim answers; null: nobody.</summary>
    public InterimReceiver? Receiver => receiver;

    /// <summary>
    /// Was it written to a connection that had carried another before it? What comes there may be left over from that one, or its end.
    /// Written by the flow that sends.
    /// </summary>
    public bool IsOnUsedConnection { get; set; }

    /// <summary>The question that is being sent.</summary>
    public static InterimQuestion? Current
    {
        get => s_current.Value;
        set => s_current.Value = value;
    }
}
