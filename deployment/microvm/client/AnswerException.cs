namespace Breakwater.Mount;

/// <summary>What came from a proxy or server is no whole answer. Apart from <see cref="IOException"/>, which is the cache's disk.</summary>
internal sealed class AnswerException(string message) : Exception(message);
