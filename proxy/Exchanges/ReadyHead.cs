namespace Breakwater.Proxy.Exchanges;

/// <summary>The head of an answer in pieces: between them go the digits of what changes with time.</summary>
/// <param name="BeforeAge">Up to its age in seconds.</param>
/// <param name="BeforeTtl">From there to the seconds for which it is yet fresh.</param>
/// <param name="AfterTtl">The rest.</param>
internal sealed record ReadyHead(byte[] BeforeAge, byte[] BeforeTtl, byte[] AfterTtl)
{
    /// <summary>Longest head without these digits, bytes.</summary>
    public const int MaxBytes = 2048;
}
