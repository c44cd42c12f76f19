using System.Collections.Concurrent;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// What was guessed of one repository, and what became of it. It says no to a guess beyond the limits: those not asked for yet are bounded
/// by what was asked for, so that guesses that come to nothing end by themselves. Thread-safe; its memory is bounded by
/// <see cref="GuessLimits.Objects"/>, and what was demanded by the same number.
/// </summary>
internal sealed class GuessLedger(GuessLimits limits, GuessCounters counters)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, Entry> _guesses = [];    // guarded by _gate, as all below
    private readonly ConcurrentDictionary<ObjectKey, bool> _demanded = []; // read without the gate: most requests of a storm are for these
    private int _demands;                                           // in it: it counts itself under all of its locks
    private long _unaskedBytes;
    private long _askedBytes;
    private int _asked;
    private bool _isClosed;

    /// <summary>A client asks for an object. True: for the first time.</summary>
    public bool Demand(in ObjectKey key)
    {
        if (_demanded.ContainsKey(key))
        {
            return false;
        }

        lock (_gate)
        {
            if (_demands >= limits.Objects || !_demanded.TryAdd(key, true))
            {
                return false;
            }

            _demands++;

            if (_guesses.TryGetValue(key, out Entry? guess) && !guess.IsAsked)
            {
                guess.IsAsked = true;
                _asked++;
                _askedBytes += guess.Bytes;
                _unaskedBytes -= guess.Bytes;
                counters.Add(guess.Rule, guess.IsHere ? GuessOutcome.Before : GuessOutcome.UnderWay);
            }

            return true;
        }
    }

    /// <summary>May this be fetched? False: it was guessed or demanded before, or is too much.</summary>
    public bool TryAdd(in Guess guess)
    {
        lock (_gate)
        {
            if (_isClosed || _guesses.Count >= limits.Objects
                || _guesses.Count - _asked >= limits.UnaskedObjects + _demands
                || guess.Bytes > limits.UnaskedBytes + Math.Min(_askedBytes, limits.BytesInVain) - _unaskedBytes
                || _demanded.ContainsKey(guess.Key)
                || !_guesses.TryAdd(guess.Key, new Entry(guess.Rule, guess.Bytes)))
            {
                return false;
            }

            _unaskedBytes += guess.Bytes;
            return true;
        }
    }

    /// <summary>Was it demanded or guessed: is it here, or under way?</summary>
    public bool Has(in ObjectKey key)
    {
        lock (_gate)
        {
            return _demanded.ContainsKey(key) || _guesses.ContainsKey(key);
        }
    }

    /// <summary>A guess is in the store.</summary>
    /// <param name="key">The object.</param>
    /// <param name="wireBytes">Bytes that came for it: a catalog may state fewer than there are.</param>
    public void Arrived(in ObjectKey key, long wireBytes)
    {
        lock (_gate)
        {
            if (_guesses.TryGetValue(key, out Entry? guess))
            {
                guess.IsHere = true;
                if (!guess.IsAsked && wireBytes > guess.Bytes)
                {
                    _unaskedBytes += wireBytes - guess.Bytes;
                    guess.Bytes = wireBytes;
                }
            }
        }
    }

    /// <summary>The boot is over: what was not asked for by now was fetched in vain. Gives the sums.</summary>
    public GuessSums Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            long inVain = 0;
            foreach (Entry guess in _guesses.Values.Where(guess => !guess.IsAsked && guess.IsHere))
            {
                inVain += guess.Bytes;
                counters.Add(guess.Rule, GuessOutcome.InVain);
            }

            return new GuessSums(_demands, _guesses.Count, _asked, inVain);
        }
    }

    private sealed class Entry(GuessRule rule, long bytes)
    {
        public GuessRule Rule => rule;

        public long Bytes { get; set; } = bytes;

        public bool IsHere { get; set; }

        public bool IsAsked { get; set; }
    }
}
