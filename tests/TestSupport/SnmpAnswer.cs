namespace Breakwater.TestSupport;

/// <summary>An answer as a manager reads it.</summary>
public sealed record SnmpAnswer(int Version, string Community, int Operation, int RequestId, int ErrorStatus, int ErrorIndex,
    IReadOnlyList<SnmpVariable> Variables);
