namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// One question to an origin: by it a connection sees that another answer begins. It flows with the sending of the request.
/// </summary>
/// <param name="Receiver">Who gets interim answers; null: nobody.</param>
internal sealed record InterimQuestion(InterimReceiver? Receiver)
{
    private static readonly AsyncLocal<InterimQuestion?> s_current = new();

    /// <summary>The question that is being sent.</summary>
    public static InterimQuestion? Current
    {
        get => s_current.Value;
        set => s_current.Value = value;
    }
}
