namespace Breakwater.Storm.Client;

/// <summary>How the bodies are treated.</summary>
internal enum BodyMode
{
    /// <summary>Dropped in the kernel (MSG_TRUNC): costs the least.</summary>
    Drop,

    /// <summary>Read and checked against the URL.</summary>
    Check,
}
