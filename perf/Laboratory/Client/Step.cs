namespace Breakwater.Laboratory.Client;

/// <summary>What a client does after a failure.</summary>
internal enum Step
{
    /// <summary>The same request again through the same proxy.</summary>
    Retry,

    /// <summary>The same, with <c>Cache-Control: no-cache</c>.</summary>
    RetryNoCache,

    /// <summary>The same from the next Stratum 1, through the same proxy.</summary>
    NextHost,

    /// <summary>The same through the next proxy; when that is DIRECT, the VM is an exile.</summary>
    NextProxy,

    /// <summary>An I/O error for the user: the boot has failed.</summary>
    GiveUp,
}
