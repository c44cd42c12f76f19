namespace Breakwater.Proxy.Observability;

/// <summary>A room that knows of findings. Register it with <c>services.AddSingleton&lt;IHealthSource, …&gt;()</c>.</summary>
internal interface IHealthSource
{
    /// <summary>What is not as it should be right now; cheap, thread-safe.</summary>
    IEnumerable<HealthFinding> Find();
}
